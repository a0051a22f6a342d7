"""``hsmtss benchmark files``: mixtures of a prepared data set as files, with their pair list."""

import dataclasses
from pathlib import Path
from typing import Literal

from hsmtss_jax.cli.clips import MixtureOptions
from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.progress import counted, progress_bar
from hsmtss_jax.option import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class BenchmarkFilesOptions(MixtureOptions):
    """Declare the command line of ``hsmtss benchmark files``."""

    output: Path = option(
        dataclasses.MISSING,
        "folder for references/, mixtures/ and pairs.csv",
        short="-o",
        metavar="FOLDER",
    )
    split: Literal["validation", "test"] = option("test", "of the data set")
    count: int = option(250, "mixtures", low=1, metavar="N")
    label: str | None = option(
        None, "targets of this label only, spread over its clips", default_help="all in turns"
    )
    seconds: float = option(10.0, "of a mixture at most", low=0.1, metavar="S")
    seed: int = option(0, "of the mixtures", low=0, high=2**31 - 1, metavar="N")


def run(options: BenchmarkFilesOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    from hsmtss_jax.audio.constants import SAMPLE_RATE
    from hsmtss_jax.config import DataConfig
    from hsmtss_jax.data.drawn_mixtures import mixture_examples, mixtures_of, recording_groups
    from hsmtss_jax.evaluation.benchmarks.prepared import LIST, write_mixtures

    data = DataConfig(root=options.data, augment=False, snr_db=options.snr)
    groups = recording_groups(options.data, options.split)
    where = options.split, options.seed
    samples = round(options.seconds * SAMPLE_RATE)
    if options.label:
        targets = _targets(options.data, options.split, options.label, options.count)
        count, examples = len(targets), mixtures_of(data, *where, targets, samples=samples)
    else:
        count = options.count
        examples = mixture_examples(data, *where, count, samples=samples)
    with progress_bar(count, unit="mixture") as progress:
        made = write_mixtures(counted(examples, count, progress), options.output, groups)
    print(f"{options.output / LIST}: {made} pairs")
    return 0


def _targets(data: str, split: str, label: str, count: int) -> list[int]:
    """Return numbers of a label's clips, spread over all. Raises ValueError for a label without clips."""
    from hsmtss_jax.data.sources import ClipSource

    found = [i for i, clip in enumerate(ClipSource(data, split).clips) if clip.label == label]
    if not found:
        raise ValueError(f"the {split} part of {data} has no clip with the label {label!r}")
    step = max(1, len(found) // count)
    return found[::step][:count]


COMMAND = Command(
    description="Write mixtures of a prepared data set's test part as files, with the list that "
    "hsmtss benchmark run takes: the pairs of hsmtss evaluate separation, for any separator, and for "
    "hsmtss benchmark report.",
    epilog="example: hsmtss benchmark files --data corpora/opensounds --seconds 2.56 -o corpora/test_files",
    options=BenchmarkFilesOptions,
    run=run,
)
