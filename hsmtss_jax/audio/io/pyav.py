"""Decode with the PyAV package (``pip install av``), which brings the ffmpeg libraries along."""

import contextlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hsmtss_jax.audio.io.foreign import Facts, Opened
from hsmtss_jax.audio.io.piece import Damaged


def available() -> bool:
    """Return whether the package is installed."""
    found = importlib.util.find_spec("av")
    return found is not None and found.origin is not None  # no folder of that name


def facts(path: Path) -> Facts:
    """Read what the containers say. Raises Damaged for what is no sound."""
    with _open(path) as container:
        streams = container.streams.audio
        if not streams:
            raise Damaged("it holds no sound")
        duration = container.duration / 1e6 if container.duration else None
        name = container.format.name.split(",")[0]
        return Facts(name, streams[0].codec_context.name, len(streams), duration)


def tags(path: Path) -> dict[str, str]:
    """Read title, artist and the like, by ffmpeg's names. Raises Damaged for what is no sound."""
    with _open(path) as container:
        stream = container.streams.audio[0].metadata if container.streams.audio else {}
        return {**stream, **container.metadata}


@contextlib.contextmanager
def decode(path: Path, start: int = 0, stop: int | None = None) -> Iterator[Opened]:
    """Decode the first stream of sound from sample ``start`` to before ``stop``.

    Raises:
      Damaged: nothing can be decoded.
    """
    complaints: list[str] = []
    with _open(path) as container:
        blocks = _blocks(container, complaints)
        first = next(blocks, None)
        if first is None:
            raise Damaged(complaints[0] if complaints else "PyAV: nothing can be decoded")
        rate, block = first
        rest = _cut(_chain(block, blocks), start, stop)
        yield Opened(rate, block.shape[1], rest, lambda: complaints[0] if complaints else None)


@contextlib.contextmanager
def _open(path: Path) -> Iterator[Any]:
    import av

    try:
        container = av.open(f"file:{path}", options={"protocol_whitelist": "file"})
    except (av.FFmpegError, OSError, ValueError) as error:
        raise Damaged(f"PyAV: {error}") from error
    with container:
        yield container


def _blocks(container: Any, complaints: list[str]) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the rate [Hz] and samples [l, C], all at the first frame's rate and channels."""
    import av

    resampler = None
    frames = container.decode(audio=0)
    while True:
        try:
            frame = next(frames, None)
        except (av.FFmpegError, OSError, ValueError) as error:
            complaints.append(f"PyAV: {error}")
            frame = None
        if frame is not None and resampler is None:
            resampler = av.AudioResampler("flt", frame.layout.name, frame.sample_rate)
        for part in resampler.resample(frame) if resampler else ():
            channels = part.layout.nb_channels
            yield part.sample_rate, part.to_ndarray().reshape(-1, channels).astype(np.float32)
        if frame is None:
            return


def _chain(first: np.ndarray, rest: Iterator[tuple[int, np.ndarray]]) -> Iterator[np.ndarray]:
    yield first
    for _, block in rest:
        yield block


def _cut(blocks: Iterator[np.ndarray], start: int, stop: int | None) -> Iterator[np.ndarray]:
    at = 0
    for block in blocks:
        last = len(block) if stop is None else stop - at
        if last <= 0:
            return
        if len(part := block[max(0, start - at) : last]):
            yield part
        at += len(block)
