"""Read what libsndfile lacks through the ffmpeg program or, where there is none, the PyAV package."""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from hsmtss_jax.audio.io.piece import Damaged

_LISTS = (
    "concat",
    "hls",
    "dash",
    "sdp",
    "rtsp",
)  # name other files, which are not this one's sound
_SLACK = 0.1  # seconds by which durations in containers may be wrong


class Facts(NamedTuple):
    """Hold what a container says: its name, the first stream's codec, and the duration [s]."""

    container: str
    codec: str
    streams: int  # of sound
    duration: float | None


class Opened(NamedTuple):
    """Hold a decoder at work: blocks [l, C], and what it complained of once they are at their end."""

    sample_rate: int
    channels: int
    blocks: Iterator[np.ndarray]
    complaint: Callable[[], str | None]


class Backend(Protocol):
    """Decode files; implemented by the modules ``ffmpeg`` and ``pyav``."""

    def available(self) -> bool: ...

    def facts(self, path: Path) -> Facts: ...

    def tags(self, path: Path) -> dict[str, str]: ...

    def decode(
        self, path: Path, start: int = 0, stop: int | None = None
    ) -> AbstractContextManager[Opened]: ...


@dataclasses.dataclass(frozen=True)
class ForeignPiece:
    """Implement Piece for the first stream of sound in a file."""

    backend: Backend
    path: Path
    sample_rate: int
    channels: int
    frames: int
    format: str
    subtype: str

    def blocks(self, size: int, start: int, stop: int) -> Iterator[np.ndarray]:
        """Yield the samples; silence stands for what a damaged stream does not give."""
        last = None if stop == self.frames else stop
        with self.backend.decode(self.path, start, last) as opened:
            for block in opened.blocks:
                for at in range(0, min(len(block), stop - start), size):
                    yield block[at : min(at + size, stop - start)]
                start += min(len(block), stop - start)
        while start < stop:
            yield np.zeros((min(size, stop - start), self.channels), np.float32)
            start += min(size, stop - start)


def find_backend() -> Backend | None:
    """Return the decoder to use, or None where none is installed."""
    from hsmtss_jax.audio.io import ffmpeg, pyav

    backends: tuple[Backend, ...] = (ffmpeg, pyav)
    return next((backend for backend in backends if backend.available()), None)


def measure(path: Path, backend: Backend) -> tuple[ForeignPiece, list[str]]:
    """Decode a file once to find its true length; the texts are warnings.

    Raises:
      Damaged: it is no sound, or nothing of it can be decoded.
    """
    facts = backend.facts(path)
    if facts.container in _LISTS:
        raise Damaged(f"it is a playlist ({facts.container})")
    with backend.decode(path) as opened:
        frames = sum(len(block) for block in opened.blocks)
        complaint = opened.complaint()
    if not frames:
        raise Damaged(complaint or "nothing of it can be decoded")
    notes = []
    if facts.streams > 1:
        notes.append(f"{facts.streams} streams of sound beside each other: the first is read")
    if complaint:
        missing = (facts.duration or 0) - frames / opened.sample_rate
        amount = (
            f"about {missing:.1f} of {facts.duration:.1f} s"
            if missing > _SLACK
            else "perhaps sound"
        )
        notes.append(f"cut short or damaged: {amount} missing ({complaint})")
    make = functools.partial(ForeignPiece, backend, path, opened.sample_rate, opened.channels)
    return make(frames, facts.container.upper(), facts.codec.upper()), notes
