"""Overlap-add of consecutive windows with crossfades that keep the level.

Legend: W items of a window, H items from one window to the next, F items of a fade.
"""

from collections.abc import Callable

import numpy as np

# (before, after, ramp [F]) -> the faded items
Crossfade = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def linear_crossfade(before: np.ndarray, after: np.ndarray, ramp: np.ndarray) -> np.ndarray:
    """Return (1 - ramp) before + ramp after: for gains, curves, and two decodings of the same tokens."""
    ramp = ramp.reshape(-1, *(1,) * (before.ndim - 1))
    return before * (1 - ramp) + after * ramp


def equal_level_crossfade(before: np.ndarray, after: np.ndarray, ramp: np.ndarray) -> np.ndarray:
    """Crossfade two sounds [F] of unrelated phases without a dip in level.

    The linear crossfade is divided by what it does to the level of two such sounds, which depends on
    their correlation: nothing for equal ones, 3 dB in the middle for uncorrelated ones.
    """
    energy = np.sqrt(np.sum(before**2, dtype=np.float64) * np.sum(after**2, dtype=np.float64))
    correlation = float(np.sum(before * after, dtype=np.float64) / max(energy, 1e-20))
    correlation = float(np.clip(correlation, -0.95, 1.0))
    power = (1 - ramp) ** 2 + ramp**2 + 2 * ramp * (1 - ramp) * correlation
    return linear_crossfade(before, after, ramp) / np.sqrt(power).astype(before.dtype)


class OverlapAdd:
    """Join windows [W, ...] that start every H items.

    Args:
      hop: H.
      window: W.
      fade: items of the crossfade, cut to the length of the overlap.
      tail: items of the overlap behind the crossfade; at 0 the later window has had the most context.
      crossfade: what joins two pieces where they overlap.
    """

    def __init__(
        self,
        hop: int,
        window: int,
        fade: int,
        tail: int = 0,
        crossfade: Crossfade = linear_crossfade,
    ) -> None:
        overlap = window - hop
        self._hop, self._crossfade = hop, crossfade
        self._end = max(0, overlap - tail)
        self._start = max(0, self._end - fade)
        length = self._end - self._start
        self._ramp = (np.arange(length, dtype=np.float32) + 0.5) / max(length, 1)
        self._held: np.ndarray | None = None

    def push(self, piece: np.ndarray) -> np.ndarray:
        """Take the next window; return the H items that it finishes."""
        if self._held is not None:
            start, end = self._start, self._end
            piece = piece.copy()
            before = self._held
            if end > start:
                piece[start:end] = self._crossfade(before[start:end], piece[start:end], self._ramp)
            piece[:start] = before[:start]
        self._held = piece[self._hop :]
        return piece[: self._hop]

    def finish(self) -> np.ndarray:
        """Return the rest of the last window: W - H items. Raises ValueError when there was none."""
        if self._held is None:
            raise ValueError("no window was pushed")
        held, self._held = self._held, None
        return held
