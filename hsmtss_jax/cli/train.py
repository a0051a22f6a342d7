"""``hsmtss train`` and ``python train.py``: a config file in, a workdir with a release bundle out."""

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.errors import fail, one_line
from hsmtss_jax.cli.options import argument
from hsmtss_jax.config import ExperimentConfig, Size, load_config
from hsmtss_jax.conversion import check_values, override, to_json
from hsmtss_jax.option import option

if TYPE_CHECKING:
    from hsmtss_jax.train.loop import TrainOutcome

TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """Declare the command line of ``hsmtss train``."""

    config: str = argument("a config: local_separator, say, or the path of a file")
    overrides: tuple[str, ...] = argument("path.to.field=value, checked", default=())
    size: Size = option("paper", "of the networks and of the run")
    workdir: Path | None = option(
        None,
        "where checkpoints, logs and the bundle go",
        metavar="FOLDER",
        default_help="runs/STAGE",
    )
    set: tuple[str, ...] = option((), "the same as an override", repeat=True, metavar="OVERRIDE")
    stop_at: int | None = option(
        None, "stop behind this step as if told to: the same command goes on", low=1, metavar="STEP"
    )
    print_config: bool = option(False, "show the resolved config, stop")
    quiet: bool = option(False, "no progress", short="-q")


def run(options: TrainOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    config = load_config(options.config, options.size, ExperimentConfig)
    config = override(config, [*options.overrides, *options.set])
    check_values(config)
    if options.print_config:
        print(to_json(config))
        return 0
    workdir = options.workdir or Path("runs") / config.stage.name

    from hsmtss_jax import dist
    from hsmtss_jax.cli.compilation_cache import enable_compilation_cache
    from hsmtss_jax.stages import load_stage
    from hsmtss_jax.train.interrupt import TryAgainError
    from hsmtss_jax.train.loop import train

    enable_compilation_cache()
    try:
        dist.initialize(config.mesh)
        stage = load_stage(config)
        outcome = train(config, stage, workdir, stop_at=options.stop_at, quiet=options.quiet)
    except (TryAgainError, TimeoutError) as error:
        return fail(one_line(error), status=TRY_AGAIN)
    if not options.quiet and dist.is_main():
        _tell(outcome, workdir)
    return 0 if outcome.signal is None or outcome.finished else 128 + outcome.signal


def _tell(outcome: "TrainOutcome", workdir: Path) -> None:
    """Print how a run ended."""
    if outcome.finished:
        print(f"finished at step {outcome.step}: {workdir / 'bundle'}")
        return
    saved = "saved" if outcome.saved == outcome.step else f"the last checkpoint is {outcome.saved}"
    print(f"stopped at step {outcome.step}, {saved}: the same command goes on", file=sys.stderr)


COMMAND = Command(
    description="Train one stage. The same command again goes on where the run stopped. Exit status: 0 "
    "finished; 143, 130, 129 stopped by SIGTERM, SIGINT, SIGHUP and saved; 75 the same command may do "
    "better (a data worker was lost, another process trains there); 2 it will not.",
    epilog="example: python train.py local_separator --size demo --workdir runs/local "
    "run.steps=5000 optim.model.lr=3e-4",
    options=TrainOptions,
    run=run,
)
