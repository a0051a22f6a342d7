"""``hsmtss sweep``: variants of a training, one after another or one of an array of jobs."""

import dataclasses
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.errors import fail
from hsmtss_jax.cli.options import argument
from hsmtss_jax.cli.recipe import say
from hsmtss_jax.config import Size
from hsmtss_jax.option import option

if TYPE_CHECKING:
    from hsmtss_jax.recipes.recipe import RecipeConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class SweepOptions:
    """Declare the command line of ``hsmtss sweep``."""

    config: str = argument("a sweep (sweep_p_gt, or the path of a file), or a stage's with --vary")
    overrides: tuple[str, ...] = argument(
        "path.to.field=value of every training, STAGE.path.to.field=value of one", default=()
    )
    vary: tuple[str, ...] = option(
        (), "values of a field of the stage's config, path=a,b,c", repeat=True, metavar="VALUES"
    )
    base: Path | None = option(
        None,
        "workdir of the finished recipe whose other stages are used",
        metavar="FOLDER",
        default_help="runs/SIZE",
    )
    workdir: Path | None = option(
        None, "where a folder a variant goes", metavar="FOLDER", default_help="BASE_SWEEP"
    )
    size: Size = option("paper", "of the networks and of the runs")
    data: str | None = option(
        None, "the data set's folder", metavar="FOLDER", default_help="the configs'"
    )
    text_encoder: Path | None = option(
        None,
        "bundle to begin with",
        metavar="FOLDER",
        default_help="of demo and base: the shipped one",
    )
    minutes: float | None = option(
        None, "for each variant", low=0, above=True, default_help="as long as the configs say"
    )
    only: tuple[str, ...] = option((), "these variants", metavar="VARIANT")
    index: int | None = option(
        None, "the variant of this number alone, from 0: for arrays of jobs", low=0, metavar="N"
    )
    dry_run: bool = option(False, "print variants and their commands and stop")


def run(options: SweepOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    import shlex

    from hsmtss_jax.recipes import runner
    from hsmtss_jax.recipes.steps import Materials, steps_of

    base = options.base or Path("runs") / options.size
    workdir = options.workdir or base.with_name(f"{base.name}_{Path(options.config).stem}")
    for number, (name, recipe) in _chosen(options).items():
        given = Materials(
            size=options.size,
            workdir=workdir / name,
            data=options.data,
            text_encoder=options.text_encoder,
            overrides=options.overrides,
            base=base,
        )
        steps = steps_of(recipe, given)
        say(f"# variant {number}: {name}")
        if options.dry_run:
            for step in steps:
                say(shlex.join(["python", *step.words]))
            continue
        settings = runner.Settings(minutes=options.minutes, host=runner.host_number(os.environ))
        runner.claim(given.workdir, options.size, settings.host)
        launch = runner.process_launcher(sys.executable)
        try:
            runner.Runner(steps, given.workdir, settings, launch, say).run()
        except runner.StepFailed as error:
            return fail(f"{name}: {error}", status=error.status)
    return 0


def _chosen(options: SweepOptions) -> "dict[int, tuple[str, RecipeConfig]]":
    """Return the chosen variants by number. Raises ValueError."""
    from hsmtss_jax.config import load_config
    from hsmtss_jax.recipes.recipe import RecipeConfig, SweepConfig
    from hsmtss_jax.recipes.sweep import grid_variants, read_grid

    if options.vary:
        recipe = load_config("recipe", options.size, RecipeConfig)
        variants = grid_variants(recipe, options.config, read_grid(options.vary))
    else:
        variants = dict(load_config(options.config, options.size, SweepConfig).variants)
    numbered = dict(enumerate(variants.items()))
    if unknown := [name for name in options.only if name not in variants]:
        raise ValueError(f"no variant {unknown[0]!r}: choose of {', '.join(variants)}")
    if options.index is not None and options.index not in numbered:
        raise ValueError(f"--index {options.index}: there are {len(numbered)} variants, from 0")
    return {
        number: each
        for number, each in numbered.items()
        if (not options.only or each[0] in options.only) and options.index in (None, number)
    }


COMMAND = Command(
    description="Train variants of a finished recipe: what they change is trained anew, the rest is taken "
    "from it. The same command goes on where it stopped; hsmtss compare puts the variants side by side.",
    epilog="example: hsmtss sweep sweep_p_gt --size demo --base runs/demo",
    options=SweepOptions,
    run=run,
)
