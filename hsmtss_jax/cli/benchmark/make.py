"""``hsmtss benchmark make``: a pair list from a published list."""

import dataclasses
from pathlib import Path
from typing import Literal

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.options import argument
from hsmtss_jax.option import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class BenchmarkMakeOptions:
    """Declare the command line of ``hsmtss benchmark make``."""

    name: Literal["esc50", "audiocaps", "clotho", "music", "vggsound", "audioset", "dcase2024"] = (
        argument("which list, see hsmtss benchmark list")
    )
    source: Path | None = option(
        None, "the published file", metavar="CSV", default_help="fetched, beside the output"
    )
    recordings: Path = option(
        dataclasses.MISSING, "folder of the recordings, of any format", metavar="FOLDER"
    )
    output: Path = option(dataclasses.MISSING, "pair list to write", short="-o", metavar="CSV")
    ready: bool = option(False, "the recordings are the authors' own mixtures")
    skip_missing: bool = option(False, "leave out pairs whose recordings are not there")
    audio: Path | None = option(
        None,
        "also write references/NAME.wav and mixtures/NAME.wav here, for other programs",
        metavar="FOLDER",
    )
    rate: int = option(SAMPLE_RATE, "of the files of --audio", low=8_000, metavar="HZ")


def run(options: BenchmarkMakeOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    from hsmtss_jax.evaluation.benchmarks.download import download
    from hsmtss_jax.evaluation.benchmarks.mixing import Recordings, write_pairs
    from hsmtss_jax.evaluation.benchmarks.pair_list import write_pair_list
    from hsmtss_jax.evaluation.benchmarks.published import PUBLISHED, read_published

    published = PUBLISHED[options.name]
    source = options.source or options.output.parent / f"{options.name}_published.csv"
    if options.source is None:
        download(published.url, source, published.sha256)
    rows = read_published(published, source, ready=options.ready)
    recordings = Recordings(options.recordings, options.rate)
    missing = set(recordings.missing(rows))
    if missing and not options.skip_missing:
        raise ValueError(
            f"{options.recordings} lacks {len(missing)} recordings, such as {min(missing)}: get them, "
            "or leave their pairs out with --skip-missing"
        )
    there = [row for row in rows if not missing & {row.target, row.other, row.mixture}]
    if not there:
        raise ValueError(f"{options.recordings} has the recordings of no pair")
    write_pair_list(options.output, there)
    print(f"{options.output}: {len(there)} of {len(rows)} pairs")
    if options.audio:
        write_pairs(there, recordings, options.audio)
        print(f"{options.audio}: references and mixtures")
    return 0


COMMAND = Command(
    description="Make a pair list, a CSV that can be shared, from a published list and the recordings on "
    "this machine. With --audio the mixtures are written as files too.",
    epilog="example: hsmtss benchmark make esc50 --source esc50_eval.csv --recordings corpora/esc50 "
    "-o corpora/esc50/pairs.csv",
    options=BenchmarkMakeOptions,
    run=run,
)
