"""``hsmtss data mixtures``: the mixtures of a manifest become records."""

import dataclasses
import shlex
from pathlib import Path

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.data.manifest import MixingOptions
from hsmtss_jax.cli.options import argument
from hsmtss_jax.cli.progress import progress_bar
from hsmtss_jax.option import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class MixturesOptions(MixingOptions):
    """Declare the command line of ``hsmtss data mixtures``."""

    manifest: Path = argument("folder by hsmtss data manifest")
    output: Path = argument("folder of the data set to write")
    processes: int = option(1, "that mix", low=1)
    beam: str = option(
        "", "run on Apache Beam with these arguments of its own", metavar="ARGUMENTS"
    )
    work: str = option(
        "",
        "place of the unfinished parts, which all workers reach",
        metavar="PLACE",
        default_help="beside OUTPUT",
    )
    per_file: int = option(512, "mixtures of a file of records", low=1)


def run(options: MixturesOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    from hsmtss_jax.data.mixture_records import write_mixtures
    from hsmtss_jax.data.preparation.beam import on_beam
    from hsmtss_jax.data.preparation.workers import in_processes

    beam = shlex.split(options.beam)
    runner = on_beam(beam) if beam else in_processes(options.processes)
    config = dataclasses.replace(options.data(), manifest=str(options.manifest))
    with progress_bar(unit="mixture") as progress:
        counts = write_mixtures(
            options.output,
            config,
            runner=runner,
            work=options.work,
            per_file=options.per_file,
            progress=progress,
        )
    print(f"{sum(counts.values())} mixtures: {options.output}")
    return 0


COMMAND = Command(
    description="Mix what a manifest lists and write it as records in TFDS layout: data.root=OUTPUT trains "
    "on the same batches, bit for bit, as data.manifest=MANIFEST. A run that was interrupted goes "
    "on where it stopped.",
    epilog="example: hsmtss data mixtures corpora/pairs corpora/mixtures --processes 2",
    options=MixturesOptions,
    run=run,
)
