"""Bring a recording to what the networks hear, so that nothing decides their answer that should not.

A recording is read twice before it is separated. The first time as it is: where its sound begins and ends,
its offset, and how its channels belong together. Digital silence before the sound and behind it is left out,
so that windows begin where the sound does; the offset is taken away. The second time as it is heard, in mono
and at the networks' rate: the level of its active parts gives the gain that brings every recording to one
working level, and its spectrum the bandwidth.

Legend: l samples of a block, C channels.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np

from hsmtss_jax.audio.active import ActiveMeter
from hsmtss_jax.audio.constants import WORKING_LEVEL
from hsmtss_jax.audio.downmix import downmix, phase_weights
from hsmtss_jax.audio.drift import LowCut
from hsmtss_jax.audio.extent import Extent
from hsmtss_jax.audio.io import Resampler
from hsmtss_jax.inference.recording import BLOCK, Recording

SILENCE = 10 ** (-120 / 20)  # distance from the offset below which a recording counts as silent
SHORTEST = 0.05  # [s]
LARGEST = 1e10  # of a sample; 32-bit numbers taken for floats lie below, squares of what lies above overflow

_SILENT = "the recording is silent: there is nothing to separate"


@dataclasses.dataclass(frozen=True)
class Sounding:
    """Name the part of a recording between the digital silence before and behind it.

    recording: the part. first: its first sample in the whole. offset: the mean of each channel [C].
    weights: how the channels are mixed, ``phase_weights`` [C].
    """

    recording: Recording
    first: int
    offset: np.ndarray
    weights: np.ndarray

    def mono(self, sample_rate: int, size: int = BLOCK) -> Iterator[np.ndarray]:
        """Yield the downmix at another rate without what lies below 20 Hz, [l] at a time."""
        recording = self.recording
        rates = recording.sample_rate, sample_rate
        resampler = Resampler(*rates, recording.channels, recording.length)
        low_cut = LowCut(sample_rate, recording.channels)
        blocks = (low_cut(resampler(each - self.offset)) for each in recording.blocks(size))
        return downmix(blocks, self.weights)


@dataclasses.dataclass(frozen=True)
class Heard:
    """Hear a recording as the networks do: at ``rate`` [Hz], multiplied by ``gain``.

    whole: the recording with its silence. bandwidth: [Hz] above which it holds next to nothing.
    """

    whole: Recording
    sounding: Sounding
    rate: int
    gain: float
    bandwidth: float

    @property
    def length(self) -> int:
        """Return the number of samples that are heard, at ``rate``."""
        return self.sounding.recording.length_at(self.rate)

    @property
    def silence_before(self) -> int:
        """Return the samples of the whole before the sound, at its own rate."""
        return self.sounding.first

    @property
    def silence_behind(self) -> int:
        """Return the samples of the whole behind the sound, at its own rate."""
        return self.whole.length - self.sounding.first - self.sounding.recording.length

    def mono(self, size: int = BLOCK) -> Iterator[np.ndarray]:
        """Yield the sound at working level, [l] at a time; ``length`` samples in all."""
        for block in self.sounding.mono(self.rate, size):
            yield block * np.float32(self.gain)

    def within(self, first: int, last: int) -> "Heard":
        """Return what is heard of the whole's samples ``first`` to before ``last``, at the same level.

        All of it where they hold next to no sound.
        """
        sounding, part = self.sounding, self.sounding.recording
        first, last = max(first, sounding.first), min(last, sounding.first + part.length)
        if last - first < SHORTEST * part.sample_rate:
            return self
        part = part.part(first - sounding.first, last - sounding.first)
        return dataclasses.replace(
            self, sounding=dataclasses.replace(sounding, recording=part, first=first)
        )


def hear(recording: Recording, rate: int, *, size: int = BLOCK) -> Heard:
    """Measure a recording for networks that work at ``rate`` [Hz]; reads it twice.

    Raises ValueError as ``find_sound`` does.
    """
    sounding = find_sound(recording, size=size)
    meter = ActiveMeter(rate)
    for block in sounding.mono(rate, size):
        meter.push(block)
    level, bandwidth = meter.finish()
    if level == 0:
        raise ValueError(_SILENT)
    return Heard(recording, sounding, rate, WORKING_LEVEL / level, bandwidth)


def find_sound(recording: Recording, *, size: int = BLOCK) -> Sounding:
    """Find the part of a recording that sounds; reads it once.

    Raises ValueError for what cannot be separated: NaN, samples beyond 1e10, shorter than 50 ms, silent.
    """
    rate, channels, length = recording.sample_rate, recording.channels, recording.length
    if length < SHORTEST * rate:
        raise ValueError(
            f"the recording is too short ({length} samples at {rate} Hz): it takes 50 ms"
        )
    extent, moments = Extent(rate, channels), _Moments(channels)
    for block in recording.blocks(size):
        if not np.isfinite(block).all():
            raise ValueError("the recording holds NaN or infinite samples: repair it first")
        if (largest := float(np.abs(block).max(initial=0.0))) > LARGEST:
            raise ValueError(
                f"the recording holds samples as large as {largest:.0e}: it is damaged, or no sound"
            )
        extent.push(block)
        moments.push(block)
    if extent.peak < SILENCE:
        raise ValueError(_SILENT)
    first, last = extent.span()
    least = min(length, round(SHORTEST * rate))
    last = min(length, max(last, first + least))
    first = min(first, last - least)
    offset, covariance = moments.statistics(last - first, length - last)
    return Sounding(recording.part(first, last), first, offset, phase_weights(covariance))


class _Moments:
    """Collect mean and covariance of C channels.

    Distances are from the first sample, which a silent beginning repeats; a silent end repeats the last.
    """

    def __init__(self, channels: int) -> None:
        self._begin: np.ndarray | None = None  # the first sample
        self._end = np.zeros(channels)  # distance of the last one
        self._sum, self._products = np.zeros(channels), np.zeros((channels, channels))

    def push(self, block: np.ndarray) -> None:
        """Take the next samples [l, C]."""
        rows = np.array(block.T, np.float64, order="C")
        if self._begin is None:
            self._begin = rows[:, 0].copy()
        rows -= self._begin[:, None]
        self._sum += rows.sum(axis=1)
        self._products += rows @ rows.T
        self._end = rows[:, -1].copy()

    def statistics(self, length: int, behind: int) -> tuple[np.ndarray, np.ndarray]:
        """Return mean float32 [C] and covariance [C, C] of ``length`` samples with silence around them.

        behind: samples of silence after them.
        """
        mean = (self._sum - behind * self._end) / length
        products = self._products - behind * np.outer(self._end, self._end)
        begin = 0.0 if self._begin is None else self._begin
        return (begin + mean).astype(np.float32), products / length - np.outer(mean, mean)
