"""``hsmtss recipe``: train all stages in their order, hand bundles on, score the pipeline at the end."""

import dataclasses
import os
import shlex
import sys
from pathlib import Path

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.errors import fail
from hsmtss_jax.cli.options import argument
from hsmtss_jax.config import Size
from hsmtss_jax.option import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecipeOptions:
    """Declare the command line of ``hsmtss recipe``."""

    overrides: tuple[str, ...] = argument(
        "path.to.field=value of every training, STAGE.path.to.field=value of one", default=()
    )
    size: Size = option("paper", "of the networks and of the runs")
    workdir: Path | None = option(
        None, "where everything goes", metavar="FOLDER", default_help="runs/SIZE"
    )
    config: str = option("recipe", "which stages: a config, or the path of a file")
    data: str | None = option(
        None,
        "the data set's folder",
        metavar="FOLDER",
        default_help="the configs'",
    )
    text_encoder: Path | None = option(
        None,
        "bundle to begin with",
        metavar="FOLDER",
        default_help="of demo and base: the shipped one",
    )
    minutes: float | None = option(
        None,
        "for all steps together: trainings are as long as that allows",
        low=0,
        above=True,
        default_help="as long as the configs say",
    )
    only: tuple[str, ...] = option((), "these steps", metavar="STEP")
    start: str = option("", "this step and those behind it", flag="--from", metavar="STEP")
    jobs: int = option(1, "steps that may run side by side, on the same devices", low=1)
    host: int | None = option(
        None, "number of this host of several", low=0, default_help="what the launcher says, or 0"
    )
    dry_run: bool = option(False, "print the commands and stop")


def run(options: RecipeOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    from hsmtss_jax.config import load_config
    from hsmtss_jax.recipes import runner
    from hsmtss_jax.recipes.recipe import RecipeConfig
    from hsmtss_jax.recipes.steps import Materials, chosen, steps_of

    recipe = load_config(options.config, options.size, RecipeConfig)
    workdir = options.workdir or Path("runs") / options.size
    given = Materials(
        size=options.size,
        workdir=workdir,
        data=options.data,
        text_encoder=options.text_encoder,
        overrides=options.overrides,
    )
    steps = chosen(steps_of(recipe, given), options.only, options.start)
    if options.dry_run:
        for step in steps:
            print(f"# {step.name}{': done' if step.done else ''}")
            print(shlex.join(["python", *step.words]))
        return 0
    host = runner.host_number(os.environ) if options.host is None else options.host
    settings = runner.Settings(minutes=options.minutes, jobs=options.jobs, host=host)
    runner.claim(workdir, options.size, host)
    launch = runner.process_launcher(sys.executable, options.jobs)
    try:
        runner.Runner(steps, workdir, settings, launch, say).run()
    except runner.StepFailed as error:
        return fail(str(error), status=error.status)
    return 0


def say(line: str) -> None:
    """Print a line at once, also into a pipe."""
    print(line, flush=True)


COMMAND = Command(
    description="Train every stage in its order, hand each bundle to the next, assemble the pipeline and "
    "score it. What is done is passed over, and a stage that was stopped goes on: the same command again.",
    epilog="example: hsmtss recipe --size tiny --workdir runs/tiny",
    options=RecipeOptions,
    run=run,
)
