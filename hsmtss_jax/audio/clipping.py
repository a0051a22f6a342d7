"""Write sounds that belong together: samples beyond 1 turn all of them down by one gain.

The gain is known only when the whole sound is, so the samples wait in hidden files of floats.

Legend: l samples, C channels.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from hsmtss_jax.atomic import working_path
from hsmtss_jax.audio.io import (
    AudioError,
    AudioWriter,
    Encoding,
    Metadata,
    clip_mode,
    open_writer,
    overload_gain,
)
from hsmtss_jax.audio.output import OutputOptions

BLOCK = 1 << 16


class Planned(NamedTuple):
    """Name a file and how it is written."""

    path: Path
    encoding: Encoding


class Sounds(NamedTuple):
    """Describe what is written: the samples' rate [Hz], channels C and number."""

    sample_rate: int
    channels: int
    frames: int


@contextlib.contextmanager
def open_together(
    files: Sequence[Planned],
    sounds: Sounds,
    options: OutputOptions,
    metadata: Metadata,
    *,
    bounded: bool = False,
    told: Callable[[float], None] = lambda gain: None,
) -> Iterator[list[AudioWriter]]:
    """Yield a writer a file; the files appear under their names on success, all under one gain.

    Args:
      files: what to write.
      sounds: of every file.
      options: say what becomes of samples beyond 1.
      metadata: to write along.
      bounded: no sample will lie beyond 1.
      told: is given the gain at the end.

    Raises:
      AudioError: a file cannot be written.
    """

    def opened(file: Planned) -> contextlib.AbstractContextManager[AudioWriter]:
        return open_writer(
            file.path,
            sounds.sample_rate,
            sounds.channels,
            file.encoding,
            options=options,
            metadata=metadata,
            frames=sounds.frames,
        )

    rescales = any(clip_mode(file.encoding, options) == "rescale" for file in files)
    if bounded or not rescales:
        with contextlib.ExitStack() as stack:
            yield [stack.enter_context(opened(file)) for file in files]
        return
    with contextlib.ExitStack() as waiting:
        works = [waiting.enter_context(_work(file.path)) for file in files]
        writers = [
            AudioWriter(file.path, _appending(work, file.path), clamps=False)
            for file, work in zip(files, works, strict=True)
        ]
        yield writers
        peak = max(writer.peak for writer in writers)
        gain = overload_gain(files[0].path, files[0].encoding, options, peak)
        with contextlib.ExitStack() as stack:
            for work, file in zip(works, files, strict=True):
                writer = stack.enter_context(opened(file))
                for block in _blocks(work, sounds.channels):
                    writer.write(block * np.float32(gain))
        told(gain)


@contextlib.contextmanager
def _work(path: Path) -> Iterator[BinaryIO]:
    """Yield a hidden file beside ``path`` that is deleted at the end."""
    work = working_path(path.resolve())
    try:
        with work.open("x+b") as file:
            yield file
    except OSError as error:
        if error.filename == str(work):
            raise AudioError(f"{path}: cannot be written ({error.strerror})") from error
        raise
    finally:
        work.unlink(missing_ok=True)


def _appending(work: BinaryIO, path: Path) -> Callable[[np.ndarray], None]:
    def append(block: np.ndarray) -> None:
        try:
            work.write(np.ascontiguousarray(block, "<f4").tobytes())
        except OSError as error:
            raise AudioError(f"{path}: cannot be written ({error.strerror})") from error

    return append


def _blocks(work: BinaryIO, channels: int) -> Iterator[np.ndarray]:
    """Yield the samples [l, C] from the start."""
    work.seek(0)
    while data := work.read(BLOCK * 4 * channels):
        yield np.frombuffer(data, "<f4").reshape(-1, channels)
