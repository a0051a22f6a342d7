"""Cutting a recording into windows of one static shape.

Legend: L samples of the recording, W samples of a window, n windows.
"""

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np


@dataclasses.dataclass(frozen=True)
class Windows:
    """Where windows lie. window, hop: samples; count: number of windows; length: L."""

    window: int
    hop: int
    count: int
    length: int

    @property
    def starts(self) -> list[int]:
        """First sample of each window."""
        return [i * self.hop for i in range(self.count)]

    @property
    def overlap(self) -> int:
        """Samples that a window shares with the one before."""
        return self.window - self.hop

    def used(self, index: int) -> int:
        """Samples of a window that are the recording's; the rest is padding."""
        return min(self.window, self.length - index * self.hop)


def plan_windows(length: int, window: int, overlap: int, unit: int = 1) -> Windows:
    """The fewest windows that cover ``length`` samples, each sharing ``overlap`` with the one before.

    window - overlap must be a positive multiple of ``unit`` samples. Raises ValueError otherwise.
    """
    hop = window - overlap
    if hop <= 0 or hop % unit:
        raise ValueError(
            f"window {window} minus overlap {overlap} must be a positive multiple of {unit} samples"
        )
    count = 1 + max(0, -(-(length - window) // hop))
    return Windows(window=window, hop=hop, count=count, length=length)


def cut(audio: np.ndarray, windows: Windows) -> np.ndarray:
    """[L] -> [n, W], the last window padded with zeros."""
    return np.stack(list(cut_blocks([audio], windows)))


def cut_blocks(blocks: Iterable[np.ndarray], windows: Windows) -> Iterator[np.ndarray]:
    """Windows [W] of a sound that comes in blocks [l], the last one padded with zeros."""
    held, begin, index = np.zeros(0, np.float32), 0, 0
    for block in blocks:
        held = np.concatenate([held, block])
        while index < windows.count and len(held) >= index * windows.hop - begin + windows.window:
            start = index * windows.hop - begin
            yield held[start : start + windows.window]
            index += 1
        passed = min(index * windows.hop - begin, len(held))
        held, begin = held[passed:], begin + passed
    for i in range(index, windows.count):
        rest = held[i * windows.hop - begin :]
        yield np.pad(rest, (0, windows.window - len(rest)))
