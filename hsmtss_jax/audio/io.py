"""Read and write audio files: soundfile for the formats, soxr for the rates. No JAX.

Every fault of a file raises one ``AudioError`` of one line. L samples, C channels.
"""

import contextlib
import dataclasses
import os
import secrets
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr

_UNKNOWN_FRAMES = 2**62  # libsndfile gives the largest int64 for streams of unknown length
_STREAMED_WAV = (0, 0x7FFFFFFF, 0xFFFFFFFF)  # sizes in headers written before the end was known
_FORMATS = {".wav": "WAV", ".flac": "FLAC"}
_BLOCK = 1 << 16


class AudioError(ValueError):
    """Signal an audio file that cannot be read or written; the message is one line and names the file."""


@dataclasses.dataclass(frozen=True)
class AudioFile:
    """Hold samples float32 [L, C] in [-1, 1] (float files may exceed it) and their rate [Hz]."""

    samples: np.ndarray
    sample_rate: int


@dataclasses.dataclass(frozen=True)
class AudioInfo:
    """Hold the header of a file; ``frames`` are samples per channel."""

    sample_rate: int
    channels: int
    frames: int
    format: str  # "WAV", "FLAC", "OGG", "MP3", ...
    subtype: str  # "PCM_16", "PCM_24", "FLOAT", ...

    @property
    def seconds(self) -> float:
        return self.frames / self.sample_rate


def probe(path: str | os.PathLike[str]) -> AudioInfo:
    """Read the header of an audio file, without its samples. Raises AudioError."""
    with _open(Path(path)) as file:
        return AudioInfo(file.samplerate, file.channels, file.frames, file.format, file.subtype)


def read_audio(path: str | os.PathLike[str]) -> AudioFile:
    """Read a whole file as float32 [L, C] at its own rate; any format that libsndfile reads.

    Raises:
      AudioError: the file is missing, a folder, not audio, empty, truncated, unreadable or holds NaN or
        infinite samples.
    """
    path = Path(path)
    with _open(path) as file:
        try:
            samples = np.empty((file.frames, file.channels), np.float32)
        except (MemoryError, ValueError) as error:
            raise AudioError(f"{path}: {file.frames} samples do not fit in memory") from error
        filled = 0
        for block in _blocks(file, path, _BLOCK):
            samples[filled : filled + len(block)] = block
            filled += len(block)
        return AudioFile(samples, file.samplerate)


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
    with _open(path) as file:
        blocks = _blocks(file, path, _BLOCK, start, stop)
        if mono:
            blocks = (to_mono(block)[:, None] for block in blocks)
        if sample_rate is not None and sample_rate != file.samplerate:
            channels = 1 if mono else file.channels
            total = (file.frames if stop is None else stop) - start
            blocks = resample_blocks(blocks, channels, file.samplerate, sample_rate, total)
        yield from _regroup(blocks, frames)


def write_audio(
    path: str | os.PathLike[str],
    samples: np.ndarray,
    sample_rate: int,
    *,
    subtype: str = "PCM_16",
) -> None:
    """Write float samples [L] or [L, C] as .wav or .flac, atomically.

    Values beyond [-1, 1] are clipped unless subtype is "FLOAT".

    Raises:
      AudioError: another suffix, a place that cannot be written, a subtype the format does not have, or
        samples that are not finite.
    """
    samples = np.asarray(samples, np.float32)
    samples = samples[:, None] if samples.ndim == 1 else samples
    if samples.ndim != 2:
        raise AudioError(f"{path}: samples are [L] or [L, C], not {samples.shape}")
    with open_writer(path, sample_rate, samples.shape[1], subtype=subtype) as writer:
        writer.write(samples)


class AudioWriter:
    """Append float blocks [l, C] to the file of ``open_writer``."""

    def __init__(self, file: soundfile.SoundFile, path: Path):
        self._file, self._path = file, path

    def write(self, samples: np.ndarray) -> None:
        samples = np.asarray(samples, np.float32)
        if not np.isfinite(samples).all():
            raise AudioError(f"{self._path}: refusing to write NaN or infinite samples")
        if self._file.subtype not in ("FLOAT", "DOUBLE"):
            samples = np.clip(samples, -1.0, 1.0)
        self._file.write(samples)


@contextlib.contextmanager
def open_writer(
    path: str | os.PathLike[str], sample_rate: int, channels: int, *, subtype: str = "PCM_16"
) -> Iterator[AudioWriter]:
    """Open a file for writing block by block; it takes its name only on success.

    When the body raises, the partial file is deleted and a file already at ``path`` is untouched.
    """
    path = Path(path)
    format_ = check_output(path, subtype)
    target = path.resolve()
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with soundfile.SoundFile(
            part, "w", samplerate=sample_rate, channels=channels, format=format_, subtype=subtype
        ) as file:
            yield AudioWriter(file, path)
        _rename(part, target, path)
    except soundfile.SoundFileError as error:
        raise AudioError(f"{path}: cannot be written ({_reason(error)})") from error
    finally:
        part.unlink(missing_ok=True)


def resampled_length(samples: int, from_rate: int, to_rate: int) -> int:
    """Return the samples that ``resample`` gives: the duration, rounded to at least one sample."""
    if samples == 0:
        return 0
    return max(1, (2 * samples * to_rate + from_rate) // (2 * from_rate))


def resample(x: np.ndarray, from_rate: int, to_rate: int, quality: str = "VHQ") -> np.ndarray:
    """Resample [L] or [L, C] to another rate -> float32 [resampled_length(L), ...], time-aligned.

    quality is soxr's: "VHQ", "HQ" (twice as fast, for training data), "MQ", "LQ", "QQ".
    """
    if from_rate <= 0 or to_rate <= 0:
        raise ValueError(f"sample rates are positive, not {from_rate} and {to_rate}")
    x = np.asarray(x, np.float32)
    if from_rate == to_rate or len(x) == 0:
        return x
    y = soxr.resample(x, from_rate, to_rate, quality=quality)
    return _fit(y, resampled_length(len(x), from_rate, to_rate))


class Resampler:
    """Resample a sound of ``total`` samples given as consecutive blocks [l, C].

    A call returns the samples that are ready, [m, C] with m >= 0; the last block's call returns the rest.
    Joined, they equal ``resample`` of the whole.
    """

    def __init__(self, from_rate: int, to_rate: int, channels: int, total: int) -> None:
        self._left, self._due = total, resampled_length(total, from_rate, to_rate)
        self._stream = None
        if from_rate != to_rate:
            self._stream = soxr.ResampleStream(
                from_rate, to_rate, channels, dtype="float32", quality="VHQ"
            )

    def __call__(self, block: np.ndarray) -> np.ndarray:
        self._left -= len(block)
        if self._stream is None:
            return block
        last = self._left == 0
        y = self._stream.resample_chunk(np.ascontiguousarray(block), last=last)
        y = _fit(y, self._due) if last else y
        self._due -= len(y)
        return y


def resample_blocks(
    blocks: Iterator[np.ndarray], channels: int, from_rate: int, to_rate: int, total: int
) -> Iterator[np.ndarray]:
    """Resample consecutive blocks [l, C]; joined, the results equal ``resample`` of the whole.

    Args:
      blocks: consecutive blocks [l, C].
      channels: C.
      from_rate: rate of the blocks [Hz].
      to_rate: rate of the results [Hz].
      total: number of samples of all blocks.
    """
    resampler = Resampler(from_rate, to_rate, channels, total)
    for block in blocks:
        yield resampler(block)


def to_mono(x: np.ndarray) -> np.ndarray:
    """Average the channels: [L, C] or [L] -> [L] float32."""
    x = np.asarray(x, np.float32)
    return x if x.ndim == 1 else x.mean(axis=1, dtype=np.float32)


def _open(path: Path) -> soundfile.SoundFile:
    """Open a file that has samples, or raise AudioError."""
    _check_input(path)
    try:
        file = soundfile.SoundFile(path)
    except (soundfile.SoundFileError, TypeError, OSError) as error:
        raise AudioError(
            f"{path}: not an audio file that can be read ({_reason(error)})"
        ) from error
    problem = None
    if file.frames == 0:
        problem = "holds no samples"
    elif file.frames >= _UNKNOWN_FRAMES:
        problem = "a stream of unknown length; convert it to a plain file first"
    elif file.format in ("WAV", "WAVEX") and (missing := _missing_wav_bytes(path)):
        problem = f"truncated: {missing} bytes of its samples are missing"
    if problem:
        file.close()
        raise AudioError(f"{path}: {problem}")
    return file


def _check_input(path: Path) -> None:
    """Raise AudioError where libsndfile would only report a system error."""
    if not path.exists():
        raise AudioError(f"{path}: no such file")
    if path.is_dir():
        raise AudioError(f"{path}: a folder, not an audio file")
    if not path.is_file():
        raise AudioError(f"{path}: not a regular file")
    if not os.access(path, os.R_OK):
        raise AudioError(f"{path}: no permission to read it")
    if path.stat().st_size == 0:
        raise AudioError(f"{path}: an empty file (0 bytes)")


def check_output(path: Path, subtype: str = "PCM_16") -> str:
    """Return the libsndfile format to write ``path`` in; AudioError where it cannot be written."""
    format_ = _FORMATS.get(path.suffix.lower())
    if format_ is None:
        raise AudioError(
            f"{path}: output is written as .wav or .flac, not {path.suffix or 'no suffix'}"
        )
    if not soundfile.check_format(format_, subtype):
        raise AudioError(f"{path}: {format_} has no subtype {subtype}")
    folder = path.resolve().parent
    if not folder.is_dir():
        raise AudioError(f"{path}: the folder {folder} does not exist")
    if path.exists() and not path.is_file():
        raise AudioError(f"{path}: exists and is not a file")
    if not os.access(folder, os.W_OK):
        raise AudioError(f"{path}: no permission to write in {folder}")
    return format_


def _rename(part: Path, target: Path, path: Path) -> None:
    try:
        os.replace(part, target)
    except OSError as error:
        raise AudioError(f"{path}: cannot be written ({_reason(error)})") from error


def _blocks(
    file: soundfile.SoundFile, path: Path, size: int, start: int = 0, stop: int | None = None
) -> Iterator[np.ndarray]:
    """Yield the file's samples in checked blocks [<= size, C].

    Args:
      file: open file.
      path: named in errors.
      size: samples per block.
      start: first sample.
      stop: sample to end before; None: the end.

    Raises:
      AudioError: the file ends early or holds samples that are not finite.
    """
    left = (file.frames if stop is None else stop) - start
    if start:
        file.seek(start)
    while left > 0:
        try:
            block = file.read(min(size, left), dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, RuntimeError) as error:
            raise AudioError(f"{path}: truncated or damaged ({_reason(error)})") from error
        if len(block) == 0:
            raise AudioError(
                f"{path}: truncated: the last {left} of {file.frames} samples are missing"
            )
        if not np.isfinite(block).all():
            raise AudioError(f"{path}: holds NaN or infinite samples")
        left -= len(block)
        yield block


def _missing_wav_bytes(path: Path) -> int:
    """Return the bytes of sample data missing after the end of a RIFF file; 0 for streamed headers.

    libsndfile reads such files as if they were complete.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(4) != b"RIFF":
            return 0
        file.seek(12)
        while len(header := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", header)
            if name == b"data":
                known = length not in _STREAMED_WAV
                return max(0, file.tell() + length - size) if known else 0
            file.seek(length + length % 2, os.SEEK_CUR)
    return 0


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


def _fit(x: np.ndarray, length: int) -> np.ndarray:
    """Cut or zero-pad axis 0 to ``length``."""
    if len(x) >= length:
        return x[:length]
    return np.concatenate([x, np.zeros((length - len(x), *x.shape[1:]), x.dtype)])


def _reason(error: Exception) -> str:
    """Return the last clause of libsndfile's or the system's message, in one line."""
    text = getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
    return " ".join(text.split()).rstrip(".")
