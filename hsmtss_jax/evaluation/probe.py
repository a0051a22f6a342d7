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

from hsmtss_jax.data.labelled import Fold, LabelledClips
from hsmtss_jax.evaluation.pooling import Embed, pool, whole_clips
from hsmtss_jax.evaluation.probe_training import Fitted, Point, ProbeTraining, fit
from hsmtss_jax.evaluation.representation import Representation
from hsmtss_jax.metrics import Estimate, mean_with_interval, paired_difference
from hsmtss_jax.metrics.tables import Cell, Column, Report, Row, Table
from hsmtss_jax.progress import Progress

FEATURES = {
    "s": "S of AudioMAE",
    "logmel": "mean log-mel",
    "random": "S of random weights",
}


@dataclasses.dataclass(frozen=True)
class ProbeOutcome:
    """Store the outcome of one kind of feature.

    correct: share of the seeds that classify each tested clip correctly [t]; tested: clip numbers [t].
    validation: accuracy of each point of the grid; seeds: test accuracy of each.
    """

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
    """Compute a vector a clip [n, C].

    Args:
      representation: the encoders.
      clips: n of them.
      feature: "logmel", or "s" (also of a randomised representation).
      batch: windows at once.
      progress: takes clips done and n.
    """
    sums: Embed = representation.mel_sums if feature == "logmel" else representation.scene_sums
    count = len(clips.labels)
    windows = whole_clips(clips.audio, count, representation.window)
    return pool(windows, sums, count, batch, progress)


def run(
    x: np.ndarray,
    clips: LabelledClips,
    config: ProbeTraining,
    say: Callable[[str], None] | None = None,
) -> ProbeOutcome:
    """Select a point of the grid on the first round's validation part, then train and test one probe a round
    and seed at that point. x: vectors [n, C]."""
    say = say or (lambda _: None)
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
    return ProbeOutcome(
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
    parts: Fold,
    point: Point,
    config: ProbeTraining,
    seed: int,
) -> Fitted:
    x = scaled(x, parts.train, config)
    train = x[parts.train], clips.labels[parts.train]
    validation = x[parts.validation], clips.labels[parts.validation]
    return fit(train, validation, len(clips.classes), point, config, seed)


def _hits(
    x: np.ndarray, clips: LabelledClips, parts: Fold, fitted: Fitted, config: ProbeTraining
) -> np.ndarray:
    """Return whether each clip of the test part is classified correctly, bool [t]."""
    return fitted.predict(scaled(x, parts.train, config)[parts.test]) == clips.labels[parts.test]


def scaled(x: np.ndarray, train: np.ndarray, config: ProbeTraining) -> np.ndarray:
    """Standardise vectors [n, C] by the training part's mean and deviation, if ``config`` says so."""
    if not config.standardise:
        return x
    mean, deviation = x[train].mean(axis=0), x[train].std(axis=0)
    return ((x - mean) / np.maximum(deviation, 1e-6)).astype(np.float32)


@dataclasses.dataclass(frozen=True)
class ProbeScores:
    """Store the scores of one kind of feature.

    accuracy: over clips, interval over recordings. by_class: mean of the classes' accuracies, interval over
    classes. deviation: of the seeds' accuracies, None for a difference.
    """

    accuracy: Estimate
    by_class: Estimate
    deviation: float | None


def score(outcome: ProbeOutcome, clips: LabelledClips) -> ProbeScores:
    """Compute top-1 accuracies with 95 % intervals."""
    return ProbeScores(
        accuracy=_over_recordings(outcome.correct, outcome.tested, clips),
        by_class=_over_classes(outcome.correct, clips.labels[outcome.tested]),
        deviation=float(np.std(outcome.seeds)),
    )


def difference(a: ProbeOutcome, b: ProbeOutcome, clips: LabelledClips) -> ProbeScores:
    """Compute the scores of a - b, clip by clip."""
    recordings = [clips.groups[i] for i in a.tested]
    return ProbeScores(
        accuracy=paired_difference(a.correct, b.correct, groups=recordings),
        by_class=_over_classes(a.correct - b.correct, clips.labels[a.tested]),
        deviation=None,
    )


def _over_recordings(values: np.ndarray, tested: np.ndarray, clips: LabelledClips) -> Estimate:
    return mean_with_interval(values, groups=[clips.groups[i] for i in tested])


def _over_classes(values: np.ndarray, labels: np.ndarray) -> Estimate:
    return mean_with_interval([values[labels == k].mean() for k in np.unique(labels)])


@dataclasses.dataclass(frozen=True)
class Chance:
    """Store accuracies. commonest: of always naming the training part's commonest class; uniform: 1 / K."""

    commonest: float
    uniform: float


def chance(clips: LabelledClips) -> Chance:
    """Compute the accuracy that needs no features."""
    hits, tested = 0, 0
    for parts in clips.folds:
        counts = Counter(clips.labels[parts.train].tolist())
        hits += int(np.sum(clips.labels[parts.test] == counts.most_common(1)[0][0]))
        tested += len(parts.test)
    return Chance(commonest=hits / max(tested, 1), uniform=1 / len(clips.classes))


def report(
    scores: Mapping[str, ProbeScores],
    outcomes: Mapping[str, ProbeOutcome],
    clips: LabelledClips,
    about: Mapping[str, Any],
) -> Report:
    """Build the report: a row a feature or difference, accuracies in per cent, and the commonest class.

    ``rows`` hold the share of the seeds that classify each tested clip correctly.
    """
    columns = [
        Column("accuracy", "accuracy (%) ↑", decimals=1, scale=100),
        Column("by_class", "mean over classes (%) ↑", decimals=1, scale=100),
        Column("deviation", "± seeds (%)", decimals=1, scale=100),
    ]
    floor = chance(clips)
    lines = [Row(FEATURES.get(name, name), _cells(found), name) for name, found in scores.items()]
    lines.append(
        Row("commonest class", {"accuracy": floor.commonest, "by_class": floor.uniform}, "chance")
    )
    training = {name: _training(outcome) for name, outcome in outcomes.items()}
    rows = {name: _rows(outcome, clips) for name, outcome in outcomes.items()}
    return Report([Table(columns, lines)], {**about, **_sizes(clips), "training": training}, rows)


def _cells(found: ProbeScores) -> dict[str, Cell]:
    cells: dict[str, Cell] = {"accuracy": found.accuracy, "by_class": found.by_class}
    return cells if found.deviation is None else {**cells, "deviation": found.deviation}


def _sizes(clips: LabelledClips) -> dict[str, Any]:
    parts: Sequence[Fold] = clips.folds
    return {
        "classes": len(clips.classes),
        "rounds": [[len(p.train), len(p.validation), len(p.test)] for p in parts],
        "left_out": clips.left_out,
    }


def _training(outcome: ProbeOutcome) -> dict[str, Any]:
    grid = [
        dataclasses.asdict(point) | {"validation": value}
        for point, value in outcome.validation.items()
    ]
    return {"width": outcome.width, "seeds": list(outcome.seeds), "grid": grid}


def _rows(outcome: ProbeOutcome, clips: LabelledClips) -> list[dict[str, Any]]:
    return [
        {
            "recording": clips.groups[i],
            "label": clips.classes[clips.labels[i]],
            "correct": round(float(share), 4),
        }
        for i, share in zip(outcome.tested, outcome.correct, strict=True)
    ]
