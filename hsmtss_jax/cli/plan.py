"""``hsmtss plan``: what a training will take, before it is begun, on this machine alone."""

import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.evaluate.report import ReportOptions, check_output, write_report
from hsmtss_jax.cli.options import argument, flat, part
from hsmtss_jax.config import ExperimentConfig, MeshConfig, Size, load_config
from hsmtss_jax.conversion import override
from hsmtss_jax.option import option

if TYPE_CHECKING:
    from hsmtss_jax.planning.whole import Layout

Device = Literal["a100", "h100", "h200", "tpu-v4", "tpu-v5e", "tpu-v5p", "tpu-v6e"]
SLICES = ("4x4", "16x16")  # of --all
SHARDS = 16  # of --all, where parameters are sharded


def read_mesh(text: str) -> MeshConfig:
    """Read "data=8,fsdp=4". Raises ValueError."""
    mesh = override(MeshConfig(data=1), [part for part in text.split(",") if part])
    if mesh.data < 1 or mesh.fsdp < 1:
        raise ValueError(f"a plan needs numbers of devices, got {text!r}")
    return mesh


@dataclasses.dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """Declare the command line of ``hsmtss plan``."""

    config: str = argument("a config, or a recipe: all of its stages", default="recipe")
    overrides: tuple[str, ...] = argument("path.to.field=value, of a stage's config", default=())
    size: Size = option("paper", "of the networks and of the run")
    device: Device = option("tpu-v5e", "kind of the chips")
    mesh: str = option("data=16,fsdp=1", "how many, and how they are used", metavar="MESH")
    slice: str = option(
        "",
        "topology of a TPU: 4x4",
        metavar="SLICE",
        default_help="the smallest that the mesh fits",
    )
    all: bool = option(False, "every stage, on v5e:4x4 and v5e:16x16, with and without sharding")
    compile: bool = option(
        True, "ask the compiler for the temporary memory: a minute or two a stage"
    )
    largest: bool = option(False, "the largest batch that fits: compiles a second time")
    share: float = option(0.4, "of the chips' peak that a step reaches", low=0, high=1, above=True)
    turn: float = option(10.0, "time that a turn of a loop takes at least [us]", low=0)
    price: float | None = option(
        None, "of a chip hour [USD]", low=0, default_help="a list price, rounded"
    )
    rows: Path | None = option(
        None, "file to keep rows in; those that are there are taken from it", metavar="FILE"
    )
    report: ReportOptions = part(ReportOptions)


def run(options: PlanOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    check_output(options.report)
    from hsmtss_jax.metrics.tables import Report
    from hsmtss_jax.planning.forecast import Rates
    from hsmtss_jax.planning.whole import Kept, plan_stage, tables

    layouts = list(_layouts(options))
    _pretend_devices(max(layout.chips for layout in layouts))
    rates = Rates(options.device, options.share, options.turn * 1e-6, options.price)
    kept, rows = Kept(options.rows), []
    for layout in layouts:
        for name, config in _experiments(options).items():
            print(f"{layout.title}: {name}", file=sys.stderr, flush=True)
            row = kept.get(
                layout,
                name,
                lambda name=name, config=config, layout=layout: plan_stage(  # type: ignore[misc]
                    name,
                    config,
                    options.size,
                    layout,
                    rates,
                    compiles=options.compile,
                    largest=options.largest,
                ),
            )
            rows.append(row)
    compilers = sorted({row.compiler for row in rows})
    notes = [
        f"memory by {'; '.join(compilers)}" if options.compile else "memory: arguments alone",
        f"time: {100 * options.share:g} % of the peak, or {options.turn:g} us a turn of a loop; "
        f"{rates.chip_hour:g} USD a chip hour",
    ]
    found = tables(rows)
    write_report(
        options.report, Report(found, flat(options), [dataclasses.asdict(r) for r in rows], notes)
    )
    return 0


def _experiments(options: PlanOptions) -> dict[str, ExperimentConfig]:
    """Return the experiments by the names of their configs."""
    from hsmtss_jax.recipes.recipe import RecipeConfig
    from hsmtss_jax.stages import STAGES

    if options.all:
        names = [*STAGES, "tf_codec_adversarial"]
    elif options.config == "recipe":
        recipe = load_config(options.config, options.size, RecipeConfig)
        names = [stage.config for stage in recipe.stages]
    else:
        names = [options.config]
    if options.overrides and len(names) > 1:
        raise ValueError("overrides are of one stage: name its config")
    configs = {name: load_config(name, options.size, ExperimentConfig) for name in names}
    return {Path(name).stem: override(each, options.overrides) for name, each in configs.items()}


def _layouts(options: PlanOptions) -> "Iterator[Layout]":
    from hsmtss_jax.planning.devices import chips_of
    from hsmtss_jax.planning.whole import Layout

    if not options.all:
        yield Layout(read_mesh(options.mesh), options.slice)
        return
    if options.device != "tpu-v5e":
        raise ValueError("--all is for tpu-v5e: give --mesh and --slice for another device")
    for name in SLICES:
        chips = chips_of(name)
        yield Layout(MeshConfig(data=chips), name)
        yield Layout(MeshConfig(data=chips // SHARDS, fsdp=SHARDS), name)


def _pretend_devices(chips: int) -> None:
    """Let CPU devices stand for chips, where JAX has not been started yet."""
    import jax

    jax.config.update(
        "jax_platforms", "cpu"
    )  # a plan must not take the devices that it is made for
    try:
        jax.config.update("jax_num_cpu_devices", chips)
    except RuntimeError:  # started already: there are as many as there are
        return


COMMAND = Command(
    description="Say what a training will take: parameters, FLOP, memory of a chip, time, disk, price. "
    "Nothing is trained, and no accelerator is needed. For a TPU the memory is what its own compiler allots "
    "(pip install libtpu), else that of pretended CPU devices, and the table says so.",
    epilog="example: hsmtss plan local_separator --size paper --mesh data=8,fsdp=4 --device tpu-v5e",
    options=PlanOptions,
    run=run,
)
