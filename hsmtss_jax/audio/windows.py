"""Cutting a recording into windows of one static shape.

Legend: L samples of the recording, W samples of a window, n windows.
"""

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np


@dataclasses.dataclass(frozen=True)
class WindowPlan:
    """Plan the windows of a recording. window, hop: samples; count: number of windows; length: L."""

    window: int
    hop: int
    count: int
    length: int

    @property
    def starts(self) -> list[int]:
        """Return the first sample of each window."""
        return [i * self.hop for i in range(self.count)]

    @property
    def overlap(self) -> int:
        """Return the samples that a window shares with the one before."""
        return self.window - self.hop

    def used(self, index: int) -> int:
        """Return how many samples of a window are the recording's; the rest is padding."""
        return min(self.window, self.length - index * self.hop)


def plan_windows(length: int, window: int, overlap: int, unit: int = 1) -> WindowPlan:
    """Plan the fewest windows that cover ``length`` samples, each sharing ``overlap`` with the one before.

    window - overlap must be a positive multiple of ``unit`` samples. Raises ValueError otherwise.
    """
    hop = window - overlap
    if hop <= 0 or hop % unit:
        raise ValueError(
            f"window {window} minus overlap {overlap} must be a positive multiple of {unit} samples"
        )
    count = 1 + max(0, -(-(length - window) // hop))
    return WindowPlan(window=window, hop=hop, count=count, length=length)


def cut(audio: np.ndarray, plan: WindowPlan) -> np.ndarray:
    """Cut audio [L] into windows [n, W], the last one padded with zeros."""
    return np.stack(list(cut_blocks([audio], plan)))


def cut_blocks(blocks: Iterable[np.ndarray], plan: WindowPlan) -> Iterator[np.ndarray]:
    """Yield the windows [W, ...] of a sound in blocks [l, ...], the last one padded with zeros."""
    held, begin, index = np.zeros(0, np.float32), 0, 0
    for block in blocks:
        held = np.concatenate([held, block]) if len(held) else block
        while index < plan.count and len(held) >= index * plan.hop - begin + plan.window:
            start = index * plan.hop - begin
            yield held[start : start + plan.window]
            index += 1
        passed = min(index * plan.hop - begin, len(held))
        held, begin = held[passed:], begin + passed
    for i in range(index, plan.count):
        rest = held[i * plan.hop - begin :]
        yield np.pad(rest, ((0, plan.window - len(rest)), *((0, 0),) * (rest.ndim - 1)))
