"""Choose the few seconds of a recording to hear first."""

import numpy as np

from hsmtss_jax.audio.timecode import Time
from hsmtss_jax.inference.presence import STEP, ActivityMeter
from hsmtss_jax.inference.recording import Audio, open_recording


def most_active_part(
    audio: Audio,
    seconds: float,
    *,
    sample_rate: int | None = None,
    start: Time = 0.0,
    end: Time | None = None,
) -> tuple[float, float]:
    """Return start and end [s] of the part in which most is heard, the first of equal ones.

    What is heard is measured as ``Activity`` is, from 0 (40 dB below the loudest) to 1, so a single click
    does not decide.

    Args:
      audio: a path, or samples with their ``sample_rate``.
      seconds: length of the part [s]; a shorter recording is taken as a whole.
      sample_rate: of samples [Hz].
      start, end: where to look.

    Raises ValueError as ``open_recording`` does, and for a length that is not positive.
    """
    if not seconds > 0:
        raise ValueError(f"a preview takes more than 0 s, got {seconds}")
    recording = open_recording(audio, sample_rate, start, end)
    rate = recording.sample_rate
    begin, length = recording.offset / rate, recording.length / rate
    if length <= seconds:
        return begin, begin + length
    meter = ActivityMeter(rate)
    for block in recording.blocks():
        meter.push(block)
    heard = np.concatenate([[0.0], np.cumsum(meter.finish().values, dtype=np.float64)])
    count = min(len(heard) - 1, max(1, round(seconds / STEP)))
    sums = heard[count:] - heard[:-count]
    first = int(np.argmax(sums > sums.max() - 1e-6)) * STEP
    first = min(first, length - seconds)
    return begin + first, begin + first + seconds
