"""Cutting a recording into windows of one static shape, and joining what comes out.

Legend: L samples of the recording, W samples of a window, n windows.
"""

import dataclasses

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
    total = windows.hop * (windows.count - 1) + windows.window
    padded = np.pad(audio, (0, max(0, total - len(audio))))
    return np.stack([padded[s : s + windows.window] for s in windows.starts])


def crossfade_join(pieces: np.ndarray, hop: int, fade: int) -> np.ndarray:
    """Join pieces [n, W] that start every ``hop`` samples; at each seam piece i+1 fades in linearly.

    The fade takes the last ``fade`` samples of the overlap, where a piece has had the most context; it
    is linear because both sides are decodings of the same tokens, hence coherent. -> [hop (n-1) + W].
    """
    count, window = pieces.shape
    overlap = window - hop
    fade = min(fade, overlap)
    joined = np.zeros(hop * (count - 1) + window, pieces.dtype)
    joined[:window] = pieces[0]
    ramp = (np.arange(fade, dtype=pieces.dtype) + 0.5) / max(fade, 1)
    for i in range(1, count):
        start = i * hop + overlap - fade
        end = i * hop + window
        fresh = pieces[i, overlap - fade :]
        mixed = joined[start : start + fade] * (1 - ramp) + fresh[:fade] * ramp
        joined[start:end] = fresh
        joined[start : start + fade] = mixed
    return joined
