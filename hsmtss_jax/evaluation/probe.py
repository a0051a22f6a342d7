"""A HEAR-style probe (HSM-TSS Table VII): how well a small classifier reads frozen features.

S is pooled as MW-MAE's HEAR embedding is: bands of a time column concatenated, mean over the columns
that hold sound. Baselines: the mean of the log-mel input, and S of an encoder with random weights.

Legend: n clips, C width of a vector, K classes.
"""

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from hsmtss_jax.data.labelled import LabelledClips, Split
from hsmtss_jax.evaluation.pooling import Embed, Progress, pool, whole_clips
from hsmtss_jax.evaluation.probe_training import Fitted, Point, ProbeTraining, fit
from hsmtss_jax.evaluation.representation import Representation
from hsmtss_jax.metrics import Estimate, mean_with_interval

FEATURES = {
    "s": "S of AudioMAE",
    "logmel": "mean log-mel",
    "random": "S of random weights",
}


@dataclasses.dataclass(frozen=True)
class Outcome:
    """One kind of feature. correct: share of the seeds that are right on each tested clip [t]; tested:
    clip numbers [t]. validation: accuracy of each point of the grid; seeds: test accuracy of each."""

    correct: np.ndarray
    tested: np.ndarray
    point: Point
    validation: dict[Point, float]
    seeds: tuple[float, ...]
    width: int


def embed(
    representation: Representation,
    clips: LabelledClips,
    feature: str,
    *,
    batch: int = 32,
    progress: Progress | None = None,
) -> np.ndarray:
    """A vector a clip [n, C]. feature: "logmel", or "s" (also of a randomised representation)."""
    sums: Embed = representation.mel_sums if feature == "logmel" else representation.scene_sums
    count = len(clips.labels)
    windows = whole_clips(clips.audio, count, representation.window)
    return pool(windows, sums, count, batch, progress)


def run(
    x: np.ndarray,
    clips: LabelledClips,
    config: ProbeTraining,
    progress: Callable[[str], None] | None = None,
) -> Outcome:
    """Selects a point of the grid on the first round's validation part, then trains one probe a round
    and seed at that point and tests it. x: vectors [n, C]."""
    say = progress or (lambda _: None)
    chosen = {}
    for point in config.grid:
        chosen[point] = _fit(x, clips, clips.folds[0], point, config, seed=0)
        say(f"{point}: validation {chosen[point].accuracy:.3f}")
    best = max(config.grid, key=lambda point: chosen[point].accuracy)
    tested = np.concatenate([parts.test for parts in clips.folds])
    correct = np.zeros((config.seeds, len(tested)))
    for seed in range(config.seeds):
        fits = [chosen[best]] if seed == 0 else []  # the first round's is there already
        fits += [_fit(x, clips, parts, best, config, seed) for parts in clips.folds[len(fits) :]]
        hits = [_hits(x, clips, *pair, config) for pair in zip(clips.folds, fits, strict=True)]
        correct[seed] = np.concatenate(hits)
        say(f"seed {seed}: test {correct[seed].mean():.3f}")
    return Outcome(
        correct=correct.mean(axis=0),
        tested=tested,
        point=best,
        validation={point: fitted.accuracy for point, fitted in chosen.items()},
        seeds=tuple(float(share) for share in correct.mean(axis=1)),
        width=x.shape[1],
    )


def _fit(
    x: np.ndarray,
    clips: LabelledClips,
    parts: Split,
    point: Point,
    config: ProbeTraining,
    seed: int,
) -> Fitted:
    x = _scaled(x, parts.train, config)
    train = x[parts.train], clips.labels[parts.train]
    validation = x[parts.validation], clips.labels[parts.validation]
    return fit(train, validation, len(clips.classes), point, config, seed)


def _hits(
    x: np.ndarray, clips: LabelledClips, parts: Split, fitted: Fitted, config: ProbeTraining
) -> np.ndarray:
    """Whether each clip of the test part is told right, bool [t]."""
    return fitted.predict(_scaled(x, parts.train, config)[parts.test]) == clips.labels[parts.test]


def _scaled(x: np.ndarray, train: np.ndarray, config: ProbeTraining) -> np.ndarray:
    if not config.standardise:
        return x
    mean, deviation = x[train].mean(axis=0), x[train].std(axis=0)
    return ((x - mean) / np.maximum(deviation, 1e-6)).astype(np.float32)


@dataclasses.dataclass(frozen=True)
class Scores:
    """accuracy: over clips, interval over recordings. by_class: mean of the classes' accuracies,
    interval over classes. deviation: of the seeds' accuracies."""

    accuracy: Estimate
    by_class: Estimate
    deviation: float


def score(outcome: Outcome, clips: LabelledClips) -> Scores:
    """Top-1 accuracy with 95 % intervals."""
    return Scores(
        accuracy=_over_recordings(outcome.correct, outcome.tested, clips),
        by_class=_over_classes(outcome.correct, clips.labels[outcome.tested]),
        deviation=float(np.std(outcome.seeds)),
    )


def difference(a: Outcome, b: Outcome, clips: LabelledClips) -> Scores:
    """a - b, clip by clip."""
    both = a.correct - b.correct
    return Scores(
        accuracy=_over_recordings(both, a.tested, clips),
        by_class=_over_classes(both, clips.labels[a.tested]),
        deviation=float("nan"),
    )


def _over_recordings(values: np.ndarray, tested: np.ndarray, clips: LabelledClips) -> Estimate:
    return mean_with_interval(values, groups=[clips.groups[i] for i in tested])


def _over_classes(values: np.ndarray, labels: np.ndarray) -> Estimate:
    return mean_with_interval([values[labels == k].mean() for k in np.unique(labels)])


@dataclasses.dataclass(frozen=True)
class Chance:
    """commonest: accuracy of always naming the training part's commonest class; uniform: 1 / K."""

    commonest: float
    uniform: float


def chance(clips: LabelledClips) -> Chance:
    """What is reached without listening."""
    hits, tested = 0, 0
    for parts in clips.folds:
        counts = Counter(clips.labels[parts.train].tolist())
        hits += int(np.sum(clips.labels[parts.test] == counts.most_common(1)[0][0]))
        tested += len(parts.test)
    return Chance(commonest=hits / max(tested, 1), uniform=1 / len(clips.classes))


def to_markdown(scores: Mapping[str, Scores], floor: Chance) -> str:
    """A row a feature or difference, accuracies in per cent with their intervals."""
    lines = ["| | accuracy (%) ↑ | mean over classes (%) ↑ | ± seeds |", "|---|---|---|---|"]
    for name, found in scores.items():
        spread = "" if np.isnan(found.deviation) else f"{100 * found.deviation:.1f}"
        cells = f"{_cell(found.accuracy)} | {_cell(found.by_class)} | {spread}"
        lines.append(f"| {FEATURES.get(name, name)} | {cells} |")
    lines.append(f"| commonest class | {100 * floor.commonest:.1f} | {100 * floor.uniform:.1f} | |")
    return "\n".join(lines) + "\n"


def _cell(estimate: Estimate) -> str:
    mean, low, high = (100 * x for x in (estimate.mean, estimate.low, estimate.high))
    return f"{mean:.1f} [{low:.1f}, {high:.1f}]"


def to_json(
    scores: Mapping[str, Scores],
    outcomes: Mapping[str, Outcome],
    clips: LabelledClips,
    about: Mapping[str, Any],
) -> dict[str, Any]:
    """Everything, as plain JSON; rows hold how often each tested clip was told right."""
    return {
        "about": {**about, **_sizes(clips), "chance": dataclasses.asdict(chance(clips))},
        "summary": {
            name: {
                "accuracy": dataclasses.asdict(found.accuracy),
                "by_class": dataclasses.asdict(found.by_class),
            }
            for name, found in scores.items()
        },
        "training": {name: _training(outcome) for name, outcome in outcomes.items()},
        "rows": {name: _rows(outcome, clips) for name, outcome in outcomes.items()},
    }


def _sizes(clips: LabelledClips) -> dict[str, Any]:
    parts: Sequence[Split] = clips.folds
    return {
        "classes": len(clips.classes),
        "rounds": [[len(p.train), len(p.validation), len(p.test)] for p in parts],
        "left_out": clips.left_out,
    }


def _training(outcome: Outcome) -> dict[str, Any]:
    grid = [
        dataclasses.asdict(point) | {"validation": value}
        for point, value in outcome.validation.items()
    ]
    return {"width": outcome.width, "seeds": list(outcome.seeds), "grid": grid}


def _rows(outcome: Outcome, clips: LabelledClips) -> list[dict[str, Any]]:
    return [
        {
            "recording": clips.groups[i],
            "label": clips.classes[clips.labels[i]],
            "correct": round(float(share), 4),
        }
        for i, share in zip(outcome.tested, outcome.correct, strict=True)
    ]
