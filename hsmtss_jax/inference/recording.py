"""Recordings, read block by block: samples in memory, or a file of any length.

Legend: L samples, C channels.
"""

import abc
import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from hsmtss_jax.audio.io import Spooled, probe, read_blocks, resampled_length
from hsmtss_jax.audio.timecode import Time, read_time
from hsmtss_jax.inference.arrays import SupportsArray, as_rate, as_samples

BLOCK = 1 << 16  # [samples] read at a time by default

Audio = np.ndarray | str | os.PathLike[str] | BinaryIO | Sequence[Any] | SupportsArray


@dataclasses.dataclass(frozen=True)
class Recording(abc.ABC):
    """Define a sound of ``length`` samples and ``channels`` channels at ``sample_rate``.

    Where it is a part of a longer one: whole: the length of that, offset: samples of it before the part.
    """

    sample_rate: int
    channels: int
    length: int
    offset: int = dataclasses.field(default=0, kw_only=True)
    whole: int | None = dataclasses.field(default=None, kw_only=True)

    @abc.abstractmethod
    def blocks(self, size: int = BLOCK) -> Iterator[np.ndarray]:
        """Yield its samples from the start, float32 [l, C] with l <= ``size``; can be called again."""

    @abc.abstractmethod
    def part(self, first: int, last: int) -> "Recording":
        """Return its samples from ``first`` to before ``last`` as a recording."""

    def length_at(self, sample_rate: int) -> int:
        """Return the number of samples at another rate."""
        return resampled_length(self.length, self.sample_rate, sample_rate)


@dataclasses.dataclass(frozen=True)
class Samples(Recording):
    """Hold a recording in memory: samples [L, C]."""

    samples: np.ndarray

    def blocks(self, size: int = BLOCK) -> Iterator[np.ndarray]:
        for start in range(0, self.length, size):
            yield np.asarray(self.samples[start : start + size], np.float32)

    def part(self, first: int, last: int) -> "Samples":
        samples, offset = self.samples[first:last], self.offset + first
        return dataclasses.replace(self, length=last - first, offset=offset, samples=samples)


@dataclasses.dataclass(frozen=True)
class File(Recording):
    """Read a part of an audio file, from sample ``start``, that is never in memory as a whole."""

    path: Path
    start: int
    copy: Spooled | None = None  # temporary, of an open file; it lives as long as the recording

    def blocks(self, size: int = BLOCK) -> Iterator[np.ndarray]:
        yield from read_blocks(self.path, size, start=self.start, stop=self.start + self.length)

    def part(self, first: int, last: int) -> "File":
        start, offset = self.start + first, self.offset + first
        return dataclasses.replace(self, length=last - first, offset=offset, start=start)


def open_recording(
    audio: Audio, sample_rate: int | None = None, start: Time = 0.0, end: Time | None = None
) -> Recording:
    """Open a path, an open file, or float samples [L], [L, C] or [C, L], from ``start`` to ``end`` [s].

    Samples come as any kind of array (numpy, jax, torch) or list, with their ``sample_rate`` [Hz].

    Raises ValueError (AudioError for files) for what is no recording, or holds no such part.
    """
    if hasattr(audio, "read"):
        copy = Spooled(cast(BinaryIO, audio))
        return dataclasses.replace(_open_file(copy.path, start, end), copy=copy)
    if isinstance(audio, str | os.PathLike):
        return _open_file(Path(audio), start, end)
    samples, rate = as_samples(audio), as_rate(sample_rate)
    first, last = _part(len(samples), rate, start, end)
    length, channels = samples.shape
    part = samples[first:last]
    return Samples(rate, channels, last - first, part, offset=first, whole=length)


def _open_file(path: Path, start: Time, end: Time | None) -> File:
    info = probe(path)
    first, last = _part(info.frames, info.sample_rate, start, end)
    rate, length = info.sample_rate, info.frames
    return File(rate, info.channels, last - first, path, first, offset=first, whole=length)


def _part(length: int, rate: int, start: Time, end: Time | None) -> tuple[int, int]:
    """Return the first sample of a part, and the one behind its last."""
    start, seconds = read_time(start), length / rate
    end = None if end is None else read_time(end)
    if not 0 <= start < seconds:
        raise ValueError(f"start must lie in the recording's {seconds:.3f} s, got {start}")
    if end is not None and end <= start:
        raise ValueError(f"end must lie behind start, got {end} and {start}")
    last = length if end is None else round(min(length, end * rate))
    return round(start * rate), last
