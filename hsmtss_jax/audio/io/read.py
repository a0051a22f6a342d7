"""Read audio files: their header, all samples, or block by block. L samples, C channels.

Every fault of a file raises one ``AudioError`` of one line. What is missing, damaged or left out of a file
that is read is told in an ``AudioWarning`` of one line.
"""

import dataclasses
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hsmtss_jax.audio.io.errors import AudioError, AudioWarning, reason
from hsmtss_jax.audio.io.piece import Damaged
from hsmtss_jax.audio.io.resample import resample_blocks, to_mono
from hsmtss_jax.audio.io.sound import Sound, inspect

_BLOCK = 1 << 16


@dataclasses.dataclass(frozen=True)
class AudioFile:
    """Hold samples float32 [L, C] in [-1, 1] (float files may exceed it) and their rate [Hz]."""

    samples: np.ndarray
    sample_rate: int


@dataclasses.dataclass(frozen=True)
class AudioInfo:
    """Describe a file; ``frames`` are the samples per channel that reading it gives."""

    sample_rate: int
    channels: int
    frames: int
    format: str  # "WAV", "FLAC", "OGG", "MP3", "MOV", ...
    subtype: str  # "PCM_16", "PCM_24", "FLOAT", "AAC", ...

    @property
    def seconds(self) -> float:
        return self.frames / self.sample_rate


def probe(path: str | os.PathLike[str]) -> AudioInfo:
    """Describe an audio file without keeping its samples. Raises AudioError, warns with AudioWarning."""
    sound = _inspect(path)
    return AudioInfo(sound.sample_rate, sound.channels, sound.frames, sound.format, sound.subtype)


def read_audio(path: str | os.PathLike[str]) -> AudioFile:
    """Read a whole file as float32 [L, C] at its own rate; any format that libsndfile or ffmpeg reads.

    Raises:
      AudioError: the file is missing, a folder, not audio, empty, unreadable or holds NaN or infinite
        samples.
    """
    sound = _inspect(path)
    try:
        samples = np.empty((sound.frames, sound.channels), np.float32)
    except (MemoryError, ValueError) as error:
        raise AudioError(f"{path}: {sound.frames} samples do not fit in memory") from error
    filled = 0
    for block in _blocks(sound, Path(path)):
        samples[filled : filled + len(block)] = block
        filled += len(block)
    return AudioFile(samples, sound.sample_rate)


def read_blocks(
    path: str | os.PathLike[str],
    frames: int,
    *,
    sample_rate: int | None = None,
    mono: bool = False,
    start: int = 0,
    stop: int | None = None,
) -> Iterator[np.ndarray]:
    """Read a file of any length as float32 blocks [frames, C] (the last may be shorter).

    Args:
      path: of the file.
      frames: samples per block.
      sample_rate: resample to this rate [Hz]; joined, the blocks equal ``resample`` of the whole file.
      mono: average the channels, so C = 1.
      start: first sample, at the file's own rate.
      stop: sample to end before, at the file's own rate; None: the end of the file.

    Raises:
      AudioError: as in ``read_audio``, at the faulty block.
    """
    path = Path(path)
    if frames < 1:
        raise ValueError(f"blocks need at least one sample, not {frames}")
    sound = _inspect(path)
    stop = sound.frames if stop is None else min(stop, sound.frames)
    blocks = _blocks(sound, path, start, stop)
    if mono:
        blocks = (to_mono(block)[:, None] for block in blocks)
    if sample_rate is not None and sample_rate != sound.sample_rate:
        channels = 1 if mono else sound.channels
        blocks = resample_blocks(blocks, channels, sound.sample_rate, sample_rate, stop - start)
    yield from _regroup(blocks, frames)


def _inspect(path: str | os.PathLike[str]) -> Sound:
    sound = inspect(path)
    for note in sound.notes:
        warnings.warn(f"{path}: {note}", AudioWarning, stacklevel=3)
    return sound


def _blocks(
    sound: Sound, path: Path, start: int = 0, stop: int | None = None
) -> Iterator[np.ndarray]:
    """Yield the samples in finite blocks [l, C]; ``path`` is named in errors."""
    try:
        for block in sound.blocks(_BLOCK, start, stop):
            if not np.isfinite(block).all():
                raise AudioError(f"{path}: holds NaN or infinite samples")
            yield block
    except (Damaged, OSError) as error:
        raise AudioError(f"{path}: cannot be read any more ({reason(error)})") from error


def _regroup(blocks: Iterator[np.ndarray], frames: int) -> Iterator[np.ndarray]:
    """Yield the same samples in blocks of ``frames``."""
    held: list[np.ndarray] = []
    count = 0
    for block in blocks:
        held.append(block)
        count += len(block)
        if count < frames:
            continue
        joined = np.concatenate(held)
        whole = count - count % frames
        for start in range(0, whole, frames):
            yield joined[start : start + frames]
        held, count = [joined[whole:]], count - whole
    if count:
        yield np.concatenate(held)
