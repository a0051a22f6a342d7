"""``hsmtss benchmark draw``: a test set of the paper's kind, as a pair list."""

import dataclasses
from pathlib import Path
from typing import Literal

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.options import argument
from hsmtss_jax.option import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class BenchmarkDrawOptions:
    """Declare the command line of ``hsmtss benchmark draw``."""

    name: Literal["3sets", "clotho", "audiocaps", "fsd50k", "music"] = argument(
        "which test set of the paper"
    )
    recordings: Path = option(
        dataclasses.MISSING,
        "the set as it was downloaded, with its tables; for 3sets a folder with one of each name",
        metavar="FOLDER",
    )
    output: Path = option(dataclasses.MISSING, "pair list to write", short="-o", metavar="CSV")
    seed: int = option(0, "of the drawing", low=0, high=2**31 - 1, metavar="N")
    count: int | None = option(
        None, "pairs", low=1, metavar="N", default_help="as in the paper: 1,000 of 3sets, else 500"
    )
    skip_missing: bool = option(False, "leave out recordings that are not there")


def run(options: BenchmarkDrawOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    from hsmtss_jax.evaluation.benchmarks.drawn import PAPER_SETS, draw_pairs, read_sources
    from hsmtss_jax.evaluation.benchmarks.pair_list import write_pair_list

    paper_set = PAPER_SETS[options.name]
    if options.count:
        paper_set = dataclasses.replace(paper_set, pairs=options.count)
    sources = read_sources(paper_set, options.recordings, skip_missing=options.skip_missing)
    rows = draw_pairs(paper_set, sources, options.recordings, options.seed)
    write_pair_list(options.output, rows)
    print(f"{options.output}: {len(rows)} pairs of {sum(map(len, sources))} recordings")
    return 0


COMMAND = Command(
    description="Draw pairs from the test part of a published set by the rules of the paper's Table I: its "
    "sizes, ratios and lengths, no common tag. The paper's own pairs are not published; these are others of "
    "the same kind, and the list can be shared.",
    epilog="example: hsmtss benchmark draw clotho --recordings raw/clotho -o raw/clotho/pairs.csv",
    options=BenchmarkDrawOptions,
    run=run,
)
