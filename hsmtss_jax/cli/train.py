"""``hsmtss train`` and ``python train.py``: a config file in, a workdir with a release bundle out."""

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.options import argument
from hsmtss_jax.config import ExperimentConfig, Size, load_config, override, to_json
from hsmtss_jax.option import option

if TYPE_CHECKING:
    from hsmtss_jax.bundles.bundle import Bundle
    from hsmtss_jax.train.stage import Stage


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """The command line of ``hsmtss train``."""

    config: str = argument("a config file, for instance configs/local_separator.py")
    overrides: tuple[str, ...] = argument("path.to.field=value, checked", default=())
    size: Size = option("paper", "of the networks and of the run")
    workdir: Path | None = option(
        None,
        "where checkpoints, logs and the bundle go",
        metavar="FOLDER",
        default_help="runs/STAGE",
    )
    set: tuple[str, ...] = option((), "the same as an override", repeat=True, metavar="OVERRIDE")
    print_config: bool = option(False, "show the resolved config, stop")
    quiet: bool = option(False, "no progress", short="-q")


def run(options: TrainOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    config = load_config(options.config, options.size, ExperimentConfig)
    config = override(config, [*options.overrides, *options.set])
    if options.print_config:
        print(to_json(config))
        return 0
    workdir = options.workdir or Path("runs") / config.stage.name

    from hsmtss_jax import dist
    from hsmtss_jax.cli.compilation_cache import enable_compilation_cache
    from hsmtss_jax.train.loop import train

    enable_compilation_cache()
    allow_worker_processes()
    dist.initialize(config.mesh)
    stage = make_stage(config)
    outcome = train(config, stage, workdir, quiet=options.quiet)
    if not options.quiet and dist.is_main():
        if outcome.finished:
            print(f"finished at step {outcome.step}: {workdir / 'bundle'}")
        else:
            print(
                f"stopped at step {outcome.step}, saved: the same command goes on", file=sys.stderr
            )
    return 0


COMMAND = Command(
    description="Train one stage. The same command again goes on where the run stopped.",
    epilog="example: python train.py configs/local_separator.py --size demo --workdir runs/local "
    "run.steps=5000 optim.model.lr=3e-4",
    options=TrainOptions,
    run=run,
)


def make_stage(config: ExperimentConfig) -> "Stage":
    """The stage of a config, with its upstream bundles loaded and checked against one another.

    Raises:
      ValueError: unknown stage, an upstream bundle that is missing, damaged or does not belong.
      OSError: an upstream path that does not exist.
    """
    from hsmtss_jax.stages import STAGES
    from hsmtss_jax.train.stage import build_stage

    name = config.stage.name
    if name not in STAGES:
        raise ValueError(f"unknown stage {name!r}: choose one of {', '.join(STAGES)}")
    stage_class = STAGES[name][1]
    upstream = load_upstream(config.upstream)
    return build_stage(stage_class, config.stage, config.data, upstream, config.run.dtype)


def load_upstream(paths: Mapping[str, str]) -> "dict[str, Bundle]":
    """Bundles by name; each must have been trained against the others given.

    Raises:
      ValueError: two bundles that disagree about a third, or a bundle that cannot be read.
    """
    from hsmtss_jax.bundles.bundle import check_upstream, load_bundle

    bundles = {name: load_bundle(path) for name, path in paths.items()}
    check_upstream(bundles)
    return bundles


def allow_worker_processes() -> None:
    """grain's worker processes read absl flags, which nothing parses in a plain command."""
    from absl import flags

    flags.FLAGS.mark_as_parsed()
