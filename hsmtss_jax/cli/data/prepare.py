"""``hsmtss data prepare``: a published set, or a folder of sounds, becomes records."""

import argparse
import dataclasses
import shlex
from pathlib import Path
from typing import Literal

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.options import argument
from hsmtss_jax.cli.progress import progress_bar
from hsmtss_jax.data.preparation.layouts.registry import NAMES, layout_of
from hsmtss_jax.option import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class PrepareOptions:
    """Declare the command line of ``hsmtss data prepare``."""

    set: str = argument(f"name of the set: {', '.join(NAMES)}", metavar="SET")
    root: Path = argument("folder of its files, as published", metavar="FOLDER")
    output: Path | None = option(
        None, "folder to write", short="-o", metavar="OUT", default_help="corpora/SET"
    )
    parts: tuple[str, ...] = option((), "of the set, where it has parts", metavar="PART")
    splits: tuple[str, ...] = option((), "to write", metavar="SPLIT", default_help="all")
    table: Path | None = option(None, "captions of a folder, CSV", metavar="FILE")
    held_out: tuple[Path, ...] = option(
        (),
        "prepared sets whose validation and test recordings are kept out of training here",
        metavar="FOLDER",
    )
    rate: int = option(16000, "of the audio; this project's models take 16000", low=1000)
    seconds: float | None = option(
        None, "of a clip", low=0.1, metavar="S", default_help="the set's, mostly 10"
    )
    long: Literal["whole", "pieces", "start", "random"] | None = option(
        None, "what to keep of longer recordings", default_help="the set's"
    )
    pad: bool = option(False, "fill short clips with zeros; training does so anyway")
    sounds: str = option("", "folder or address of the sounds, if not FOLDER", metavar="PLACE")
    beam: str = option(
        "", "run on Apache Beam with these arguments of its own", metavar="ARGUMENTS"
    )
    work: str = option(
        "",
        "place of the unfinished parts, which all workers reach",
        metavar="PLACE",
        default_help="beside OUT",
    )
    retry: bool = option(False, "read files again that were damaged in a run before")
    processes: int = option(1, "that decode", low=1)
    per_file: int = option(512, "recordings of a file of records", low=1)


def resolve(given: argparse.Namespace) -> None:
    """Find the set before anything else. Raises ValueError."""
    layout_of(given.set)


def run(options: PrepareOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    from hsmtss_jax.data.preparation.beam import on_beam
    from hsmtss_jax.data.preparation.clips import ClipForm
    from hsmtss_jax.data.preparation.item import Place
    from hsmtss_jax.data.preparation.prepare import Preparation, prepare
    from hsmtss_jax.data.preparation.workers import in_processes

    layout = layout_of(options.set)
    out = options.output or Path("corpora", options.set)
    preparation = Preparation(
        layout=layout,
        place=Place(
            root=options.root, parts=options.parts, table=options.table, sounds=options.sounds
        ),
        out=out,
        form=ClipForm(
            rate=options.rate,
            seconds=options.seconds or layout.seconds,
            long=options.long or layout.long,
            pad=options.pad,
        ),
        held_out=options.held_out,
        splits=options.splits,
        per_job=options.per_file,
        work=options.work,
        retry=options.retry,
    )
    counts: dict[str, int] = {}
    local = in_processes(options.processes)
    runner = on_beam(shlex.split(options.beam), counts) if options.beam else local
    with progress_bar(unit="recording") as progress:
        report = prepare(preparation, runner, progress)
    lines = [*report.lines(), *(f"Beam counted {n} {kind}" for kind, n in sorted(counts.items()))]
    print("\n".join([*lines, f"{layout.name}: {out}"]))
    return 0


COMMAND = Command(
    description="Decode the recordings of a set to mono, resample, crop, and write them as records in TFDS "
    "layout. A run that was interrupted goes on where it stopped. Files that are missing or damaged are "
    "counted, and named in OUT/left_out.csv; OUT/report.json has the counts.",
    epilog="example: hsmtss data prepare folder my_sounds -o corpora/my_sounds --processes 8",
    options=PrepareOptions,
    run=run,
    resolve=resolve,
)
