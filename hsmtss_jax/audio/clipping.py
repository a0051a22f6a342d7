"""Samples beyond 1 in finished sounds: --clip-mode, applied as a working file becomes the result.

Legend: l samples, C channels.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from hsmtss_jax.audio.io import AudioError, open_writer, probe, read_blocks

BLOCK = 1 << 16
LARGEST = 2**32 - 4096  # bytes of samples that a WAV file holds


def needs_working_file(clip_mode: str, subtype: str, mode: str) -> bool:
    """Return whether the level is known only when the whole sound is: it is written as floats first.

    Generated sound lies in [-1, 1], and writing whole numbers clamps by itself.
    """
    return mode != "generate" and (clip_mode == "rescale" or (clip_mode, subtype) == CLAMPED_FLOATS)


CLAMPED_FLOATS = ("clamp", "FLOAT")


def check_size(source: Path, start: float, end: float | None, largest: int = LARGEST) -> None:
    """Raise AudioError for a recording whose sound no WAV file of floats could hold.

    largest: bytes of samples that such a file holds.
    """
    info = probe(source)
    seconds = min(info.seconds, info.seconds if end is None else end) - start
    if seconds * info.sample_rate * info.channels * 4 > largest:
        raise AudioError(
            f"{source}: too long for --clip-mode rescale, which needs a working file below 4 GiB: "
            "use --clip-mode clamp, or separate parts with --start and --end"
        )


def finish_files(
    pairs: Sequence[tuple[Path, Path]], subtype: str, clip_mode: str, peak: float
) -> float:
    """Turn working files into results, all with one gain; return the gain (1 without any).

    pairs: (working file, result). peak: the largest sample of all. Raises OSError or AudioError, and
    leaves no result then.
    """
    gain = 1.0 / peak if pairs and clip_mode == "rescale" and peak > 1 else 1.0
    done: list[Path] = []
    try:
        for work, result in pairs:
            _finish(work, result, subtype, gain, clamp=clip_mode == "clamp")
            done.append(result)
    except BaseException:
        for result in done:
            result.unlink()
        raise
    return gain


def _finish(work: Path, result: Path, subtype: str, gain: float, clamp: bool) -> None:
    info = probe(work)
    if info.subtype == subtype and gain == 1.0 and not clamp:  # floats within range: the result
        os.replace(work, result)
        return
    with open_writer(result, info.sample_rate, info.channels, subtype=subtype) as writer:
        for block in _leveled(work, gain, clamp):
            writer.write(block)
    work.unlink()


def _leveled(path: Path, gain: float, clamp: bool) -> Iterator[np.ndarray]:
    """Yield the samples [l, C] of a file at another level."""
    for block in read_blocks(path, BLOCK):
        block = block * np.float32(gain)
        yield np.clip(block, -1.0, 1.0) if clamp else block
