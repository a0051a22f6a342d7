"""Share a time budget out over the steps of a recipe: lengths of trainings that end when the time does.

A training's first steps tell its speed; its length and its learning rates are then set to fit the time that
is its own, and it goes on from the checkpoint that these steps left.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from hsmtss_jax.atomic import write_text
from hsmtss_jax.config import ExperimentConfig
from hsmtss_jax.recipes.steps import Step

FEWEST = 10  # steps that tell the speed
PROBED = 0.02  # of the config's length
WARM_UP = 0.1  # of a training's length, at most
USED = 0.9  # of the time that is left: validation and saving take theirs


@dataclasses.dataclass(frozen=True)
class Length:
    """Hold how long a training is: ``steps``, decided by its speed [steps/s]."""

    steps: int
    speed: float


def probe_steps(config: ExperimentConfig) -> int:
    """Return how many steps tell the speed of a training: an even number."""
    return max(FEWEST, 2 * round(PROBED * config.run.steps / 2))


def probe_overrides(config: ExperimentConfig) -> list[str]:
    """Return the overrides of the first steps, of which the second half is timed."""
    steps = probe_steps(config)
    return [f"run.log_every={steps // 2}", "run.eval_every=0", *_lengths(config, steps * 50)]


def fitted_overrides(config: ExperimentConfig, steps: int) -> list[str]:
    """Return the overrides of a training of so many steps: as often validated as the config's own length."""
    run = config.run
    passes = max(round(run.steps / run.eval_every), 1) if run.eval_every else 0
    every = -(-steps // passes) if passes else 0
    return [f"run.eval_every={every}", *_lengths(config, steps)]


def _lengths(config: ExperimentConfig, steps: int) -> list[str]:
    warm_up = {
        group: min(optim.warmup_steps, round(WARM_UP * steps))
        for group, optim in config.optim.items()
    }
    rates = [f"optim.{group}.warmup_steps={count}" for group, count in warm_up.items()]
    return [f"run.steps={steps}", *rates]


def fit(config: ExperimentConfig, speed: float, seconds: float) -> Length:
    """Return the length of a training for the time that is left of its own [s]: the first steps at least."""
    return Length(max(int(USED * seconds * speed), probe_steps(config)), speed)


def measured_speed(workdir: Path) -> float:
    """Return the speed [steps/s] that a training logged last.

    Raises ValueError where it logged none.
    """
    path = workdir / "metrics.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    speeds = [json.loads(line).get("speed/steps_per_second") for line in lines]
    if not (known := [speed for speed in speeds if speed]):
        raise ValueError(f"{path} tells no speed: delete {workdir} and start again")
    return float(known[-1])


def read_length(workdir: Path) -> Length | None:
    """Return the length that was decided for a training, or None."""
    path = workdir / "length.json"
    return Length(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def write_length(workdir: Path, length: Length) -> None:
    """Keep the length of a training: it goes on with the same, whatever stops it."""
    write_text(workdir / "length.json", json.dumps(dataclasses.asdict(length)) + "\n")


def share_of_rest(steps: Sequence[Step], name: str, jobs: int) -> float:
    """Return which part of the time that is left belongs to a step, of those that are not done yet.

    One after another, all share the time; side by side, those that wait for one another do.
    """
    left = {step.name: step for step in steps if not step.done}
    own = left[name].share
    whole = sum(step.share for step in left.values()) if jobs == 1 else _longest(left, name)
    return own / whole if whole else 0.0


def _longest(left: Mapping[str, Step], name: str) -> float:
    """Return the shares of a step and of the longest chain of steps that wait for it."""
    waiting = [_longest(left, other.name) for other in left.values() if name in other.needs]
    return left[name].share + max(waiting, default=0.0)
