"""``hsmtss speed data``: the data pipeline alone, against the bare reading of the same records."""

import dataclasses

from hsmtss_jax.audio.constants import CLIP_SAMPLES
from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.data.manifest import MixingOptions
from hsmtss_jax.option import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataSpeedOptions(MixingOptions):
    """Declare the command line of ``hsmtss speed data``."""

    split: str = option("train", "of the data")
    samples: int = option(CLIP_SAMPLES, "of a window, at 16 kHz", low=160)
    seconds: float = option(10.0, "for each way to read", low=0, above=True, metavar="S")


def run(options: DataSpeedOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    from hsmtss_jax.data.throughput import measure_throughput

    config = options.data()
    rows = measure_throughput(
        config, options.split, samples=options.samples, seconds=options.seconds
    )
    print(f"{options.samples / 16_000:g} s, batch {config.batch_size}, {config.workers} workers\n")
    print("| read | examples a second | a core second | of the raw read |\n|---|---|---|---|")
    for row in rows:
        print(
            f"| {row.name} | {row.per_second:.0f} | {row.per_core_second:.0f} | {row.of_raw:.2f} |"
        )
    return 0


COMMAND = Command(
    description="Time the data pipeline alone, each view against the bare reading of the same records in the "
    "same run. Seconds of a core count this process only: leave workers=0 for them.",
    epilog="example: hsmtss speed data --size demo --set root=corpora/opensounds --set workers=0",
    options=DataSpeedOptions,
    run=run,
)
