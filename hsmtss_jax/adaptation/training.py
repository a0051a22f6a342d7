"""Fine-tune the separating networks of a pipeline, each for its part of the time.

The separators are tuned first; a mask decoder, which is steered by them, is tuned to the new ones then.
Encoders, codec and acoustic decoder stay as they are.
"""

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hsmtss_jax.bundles.bundle import Bundle, save_bundle
from hsmtss_jax.bundles.networks import read_separators
from hsmtss_jax.bundles.pipeline import MASK_DECODER, SEPARATORS
from hsmtss_jax.config import DataConfig, ExperimentConfig, OptimConfig, RunConfig, SetConfig
from hsmtss_jax.conversion import from_dict, override
from hsmtss_jax.recipes import budget
from hsmtss_jax.stages import load_stage, stage_class
from hsmtss_jax.train.loop import train

TUNED = (*SEPARATORS, "mask_separator", MASK_DECODER)  # roles, in the order in which they are tuned
HALVES = ("global", "local")  # of a joint separator, whose stage starts from two bundles
NOMINAL_STEPS = 500  # of a training whose time is not known yet
ABSENT = 0.1  # share of mixtures without the sound, from which a mask decoder learns to tell


@dataclasses.dataclass(frozen=True, kw_only=True)
class TuningConfig:
    """Configure a fine-tuning.

    Attributes:
      minutes: for all networks together, compilation counted.
      share: of the examples that have a new sound in them, at least; the others are the old data's.
      lr: highest learning rate.
      batch_size: mixtures of an update.
      seed: of the mixtures.
      overrides: ``path=value`` of every network's experiment.
    """

    minutes: float = 8.0
    share: float = 0.5
    lr: float = 2e-4
    batch_size: int = 16
    seed: int = 0
    overrides: tuple[str, ...] = ()


class Interrupted(Exception):
    """Signal that a training was stopped, and saved."""


def tuned_roles(bundles: Mapping[str, Bundle]) -> list[str]:
    """Return the roles of a pipeline that are fine-tuned, in order. Raises ValueError for none."""
    found = [role for role in TUNED if role in bundles]
    if not found:
        raise ValueError(
            f"nothing of this pipeline can be tuned: it has none of {', '.join(TUNED)}"
        )
    return found


def tune(
    bundles: Mapping[str, Bundle],
    sets: tuple[Path, Path],
    workdir: Path,
    config: TuningConfig,
    say: Callable[[str], None] = print,
) -> dict[str, Path]:
    """Fine-tune a pipeline's networks; return role -> the folder of its new bundle.

    What a run before has done in ``workdir`` is gone on with.

    Args:
      bundles: of the pipeline, each with its folder.
      sets: the new data set and the old one.
      workdir: where trainings go.
      config: how.
      say: takes a line about each training.

    Raises:
      Interrupted: a training was stopped; the same call goes on.
      ValueError: what cannot be tuned, or a setting that does not fit.
    """
    folders = {role: bundle.path for role, bundle in bundles.items() if bundle.path}
    made: dict[str, Path] = {}
    roles = tuned_roles(bundles)
    for place, role in enumerate(roles):
        folder = workdir / role
        if not (folder / "bundle").exists():
            upstream = {**folders, **made, **_starts(bundles[role], workdir)}
            experiment = experiment_of(
                role,
                bundles[role],
                sets,
                upstream,
                workdir,
                config,
                max_text=_max_text(bundles),
            )
            begun = time.monotonic()
            steps = _train(experiment, folder, 60 * config.minutes / len(roles))
            spent = time.monotonic() - begun
            say(f"{role} ({place + 1} of {len(roles)}): {steps} updates in {spent:.0f} s")
        made[role] = folder / "bundle"
    return made


def experiment_of(
    role: str,
    bundle: Bundle,
    sets: tuple[Path, Path],
    upstream: Mapping[str, Path],
    workdir: Path,
    config: TuningConfig,
    *,
    max_text: int = DataConfig.max_text_tokens,
) -> ExperimentConfig:
    """Return the experiment that goes on from a bundle.

    Args:
      role: of the bundle, the name of its stage.
      bundle: where it starts from.
      sets: the new data set and the old one.
      upstream: role -> folder of a bundle, of all that the stage may read.
      workdir: where trainings go.
      config: of the fine-tuning.
      max_text: tokens of a caption that the pipeline reads.

    Raises ValueError for an override that does not fit.
    """
    kind = stage_class(role)
    new, old = sets
    data = DataConfig(
        root="",
        sets=(
            SetConfig(root=str(new), name="new", weight=config.share),
            SetConfig(root=str(old), name="old", weight=1 - config.share),
        ),
        batch_size=config.batch_size,
        max_text_tokens=max_text,
        text_cache=str(workdir / "text_features"),
        absent_probability=ABSENT if role == MASK_DECODER else 0.0,
    )
    starts = "" if set(kind.init_only_names) else str(bundle.path)
    experiment = ExperimentConfig(
        stage=from_dict(kind.config_class, bundle.config),
        data=data,
        optim={"model": OptimConfig(lr=config.lr, warmup_steps=20, ema=0.98)},
        run=RunConfig(
            steps=NOMINAL_STEPS,
            seed=config.seed,
            init_from=starts,
            log_every=20,
            eval_every=0,
            save_every=100,
            keep=1,
        ),
        upstream={name: str(upstream[name]) for name in kind.upstream_names},
    )
    return override(experiment, list(config.overrides))


def _max_text(bundles: Mapping[str, Bundle]) -> int:
    """Return the tokens of a caption that a pipeline's separator reads."""
    if any(role in bundles for role in SEPARATORS):
        return read_separators(bundles).max_text
    return DataConfig.max_text_tokens


def _starts(bundle: Bundle, workdir: Path) -> dict[str, Path]:
    """Write the two bundles that a joint separator's stage starts from; return their folders by name."""
    if bundle.stage != SEPARATORS[0]:
        return {}
    folders = {}
    for half in HALVES:
        name = f"{half}_separator"
        part = Bundle(
            stage=name,
            config={"model": bundle.config[f"{half}_model"]},
            params=bundle.params[half],
        )
        folders[name] = workdir / "start" / name
        if not folders[name].exists():
            save_bundle(folders[name], part)
    return folders


def _train(experiment: ExperimentConfig, folder: Path, seconds: float) -> int:
    """Train for a time: the first updates tell how many there are to be. Returns their number."""
    begun = time.monotonic()
    length = budget.read_length(folder)
    if length is None:
        if not (folder / "metrics.jsonl").exists():
            first = budget.probe_steps(experiment)
            _run(experiment, budget.probe_overrides(experiment), folder, first)
        left = seconds - (time.monotonic() - begun)
        length = budget.fit(experiment, budget.measured_speed(folder), left)
        budget.write_length(folder, length)
    _run(experiment, budget.fitted_overrides(experiment, length.steps), folder)
    return length.steps


def _run(
    experiment: ExperimentConfig,
    changes: Sequence[str],
    folder: Path,
    stop_at: int | None = None,
) -> None:
    experiment = override(experiment, list(changes))
    outcome = train(experiment, load_stage(experiment), folder, stop_at=stop_at)
    if not outcome.finished and outcome.step != stop_at:
        raise Interrupted(f"stopped at step {outcome.step}, saved: the same command goes on")
