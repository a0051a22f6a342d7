"""Decode with libsndfile (through soundfile) what the parsers of containers found.

The count of samples is checked by decoding the last one. Where that fails, all of the stream is decoded
once to count them, so that ``frames`` holds before the first block is used.
"""

import contextlib
import dataclasses
import os
import threading
import warnings
from collections.abc import Iterator

import numpy as np
import soundfile

from hsmtss_jax.audio.io.errors import AudioWarning, reason
from hsmtss_jax.audio.io.layout import Stream
from hsmtss_jax.audio.io.piece import Damaged

_SEEKABLE = {"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC"}
_LINEAR = ("PCM", "FLOAT", "DOUBLE", "ULAW", "ALAW")
_UNKNOWN = 2**62  # libsndfile gives the largest int64 for streams of unknown length
_BLOCK = 1 << 16
_SMALL = 1 << 10  # samples replaced by silence at a time where a stream is damaged
_QUIET = threading.Lock()


class _Forward(soundfile.SoundFile):
    """Read without the seek to the present position that soundfile appends to each read.

    Many decoders cannot seek, or lose some samples by it.
    """

    def seekable(self) -> bool:
        return False


@dataclasses.dataclass(frozen=True)
class SndfilePiece:
    """Implement Piece for a stream."""

    stream: Stream
    sample_rate: int
    channels: int
    frames: int
    format: str
    subtype: str

    def blocks(self, size: int, start: int, stop: int) -> Iterator[np.ndarray]:
        """Yield the samples; silence stands for what a damaged stream does not give, with a warning."""
        silent = 0
        with contextlib.closing(_Reader(self.stream)) as reader:
            exact = _seeks_exactly(reader.file)
            at = start if exact and reader.seek(start) else 0
            while at < stop:
                count = min(size, stop - at)
                block = reader.read(count)
                if len(block) < count:
                    block, lost = _mend(reader, block, at, count) if exact else _fill(block, count)
                    silent += lost
                if at + count > start:
                    yield block[max(0, start - at) :]
                at += count
        if silent:
            warnings.warn(
                f"{self.stream.view.path}: damaged: silence stands for {silent} samples",
                AudioWarning,
                stacklevel=2,
            )


def measure(stream: Stream) -> tuple[SndfilePiece, str | None]:
    """Open a stream and find its true length; the text is a warning.

    Raises:
      Damaged: libsndfile does not know it, or nothing of it can be decoded.
      OSError: the file cannot be read.
    """
    with contextlib.closing(_Reader(stream)) as reader:
        file = reader.file
        stated = file.frames if stream.frames is None else stream.frames
        frames, note = stated, None
        if stated and not (_seeks(file) and reader.has_sample(stated - 1)):
            reader.reopen()
            frames = reader.count(stated)
        if stated and not frames:
            raise Damaged("nothing of it can be decoded")
        if frames < stated < _UNKNOWN:
            missing = f"the last {stated - frames} of {stated} samples are missing"
            note = f"cut short or damaged: {missing}"
        file = reader.file
        rate, channels = file.samplerate, file.channels
        return SndfilePiece(stream, rate, channels, frames, file.format, file.subtype), note


class _Reader:
    """Read a stream from one sample to the next; a fault ends a read early and raises nothing."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._open()

    def _open(self) -> None:
        self._view = self._stream.view.open(self._stream.claimed_size)
        try:
            with quiet(self._stream.loud):
                self.file = _Forward(self._view)
        except (soundfile.SoundFileError, TypeError) as error:
            self._view.close()
            if self._view.error:
                raise self._view.error from error
            text = reason(error)  # libmpg123 may refuse with a message that misleads
            raise Damaged("Format not recognised" if "regular file" in text else text) from error

    def close(self) -> None:
        with contextlib.suppress(soundfile.SoundFileError), quiet(self._stream.loud):
            self.file.close()
        self._view.close()

    def reopen(self) -> None:
        """Start anew: a decoder that met a fault may not go on."""
        self.close()
        self._open()

    def seek(self, position: int) -> bool:
        """Go to a sample; return whether that succeeded."""
        try:
            with quiet(self._stream.loud):
                return bool(self.file.seek(position) == position)
        except (soundfile.SoundFileError, RuntimeError):
            return False

    def read(self, count: int) -> np.ndarray:
        """Read ``count`` samples [count, C], fewer at a fault or the end."""
        block = np.zeros((count, self.file.channels), np.float32)
        try:
            with quiet(self._stream.loud):
                block = self.file.read(out=block)
        except (soundfile.SoundFileError, RuntimeError):
            block = block[:0]
        if self._view.error:
            raise self._view.error
        return block

    def has_sample(self, index: int) -> bool:
        """Return whether a sample can be decoded."""
        return index < _UNKNOWN and self.seek(index) and len(self.read(1)) == 1

    def count(self, limit: int) -> int:
        """Count the samples from the start to a fault, to the sample where decoders can seek."""
        total, size = 0, _BLOCK
        while size and total < limit:
            got = len(self.read(min(size, limit - total)))
            total += got
            if got < min(size, limit - total + got):
                size //= 2
                self.reopen()
                if not (_seeks_exactly(self.file) and self.seek(total)):
                    break
        return total


def _seeks_exactly(file: soundfile.SoundFile) -> bool:
    return file.format in _SEEKABLE and file.subtype.startswith(_LINEAR)


def _seeks(file: soundfile.SoundFile) -> bool:
    """Return whether a decoder goes to any sample, if perhaps not to exactly the same values."""
    return _seeks_exactly(file) or file.format in ("MP3", "OGG")


def _fill(block: np.ndarray, count: int) -> tuple[np.ndarray, int]:
    """Return a block of ``count`` samples, silent at the end, and how many are silent."""
    lost = count - len(block)
    return np.concatenate([block, np.zeros((lost, block.shape[1]), np.float32)]), lost


def _mend(reader: _Reader, block: np.ndarray, at: int, count: int) -> tuple[np.ndarray, int]:
    """Read a block anew in small ones, silent where that fails; return it and how many are silent.

    Args:
      reader: of the stream.
      block: its first samples.
      at: position of the first sample.
      count: samples wanted.
    """
    parts, lost = [block], 0
    done = len(block)
    while done < count:
        size = min(_SMALL - (at + done) % _SMALL, count - done)
        reader.reopen()
        part = reader.read(size) if reader.seek(at + done) else block[:0]
        part, silent = _fill(part, size)
        parts.append(part)
        done, lost = done + size, lost + silent
    reader.reopen()
    reader.seek(at + count)
    return np.concatenate(parts), lost


@contextlib.contextmanager
def quiet(loud: bool) -> Iterator[None]:
    """Keep what a loud decoder writes to standard error from the terminal, for the length of one call."""
    if not loud:
        yield
        return
    with _QUIET:
        try:
            kept = os.dup(2)
        except OSError:  # no standard error
            yield
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)
