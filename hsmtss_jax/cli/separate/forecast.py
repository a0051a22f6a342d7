"""Tell before a long separation how long it takes and what memory it needs."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hsmtss_jax.audio.io import probe
from hsmtss_jax.audio.timecode import write_time
from hsmtss_jax.cli.doctor.finding import size
from hsmtss_jax.cli.doctor.machine import host_memory
from hsmtss_jax.cli.errors import caution
from hsmtss_jax.cli.separate.results import Job
from hsmtss_jax.progress import Progress

if TYPE_CHECKING:
    from hsmtss_jax.inference import Separator

LONG = 60.0  # [s] of all recordings


def watched(
    progress: Progress, separator: "Separator", jobs: Sequence[Job], quiet: bool
) -> Progress:
    """Return a progress that tells what is left once the rate is known, for more than a minute of sound.

    Warns at once where the memory that is free will not do; nothing is refused.
    """
    if sum(_seconds(job) for job in {job.source: job for job in jobs}.values()) <= LONG:
        return progress
    from hsmtss_jax.inference.forecast import Forecast, memory_needed

    needed, free = memory_needed(separator.system), host_memory()[1]
    if separator.device.platform == "cpu" and needed is not None and needed > free:
        caution(
            f"about {size(needed)} of memory are needed, {size(free)} are free: a smaller --batch"
        )
    memory = "" if needed is None else f", {size(needed)} of memory beside the model"

    def tell(seconds: float, windows: int) -> None:
        from tqdm import tqdm

        text = f"hsmtss: {windows} windows, about {write_time(seconds)} left{memory}"
        tqdm.write(text, file=sys.stderr)

    return progress if quiet else Forecast(progress, tell)


def _seconds(job: Job) -> float:
    start, end = job.part
    whole = probe(job.source).seconds
    return (whole if end is None else min(end, whole)) - start
