"""Joining windows as they come, so that a sound that does not change does not change at a seam either.

Legend: W items of a window, H items from one window to the next, F items of a fade.
"""

from collections.abc import Callable

import numpy as np

Mix = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]  # (before, after, ramp [F])


def linear(before: np.ndarray, after: np.ndarray, ramp: np.ndarray) -> np.ndarray:
    """(1 - ramp) before + ramp after: right for gains, curves, and two decodings of the same tokens."""
    ramp = ramp.reshape(-1, *(1,) * (before.ndim - 1))
    return before * (1 - ramp) + after * ramp


def level_keeping(before: np.ndarray, after: np.ndarray, ramp: np.ndarray) -> np.ndarray:
    """A crossfade [F] of two sounds whose phases know nothing of one another: its level never dips.

    The linear crossfade is divided by what it does to the level of two such sounds, which depends on
    how alike they are: nothing for equal ones, 3 dB in the middle for unlike ones.
    """
    energy = np.sqrt(np.sum(before**2, dtype=np.float64) * np.sum(after**2, dtype=np.float64))
    alike = float(np.sum(before * after, dtype=np.float64) / max(energy, 1e-20))
    alike = float(np.clip(alike, -0.95, 1.0))
    power = (1 - ramp) ** 2 + ramp**2 + 2 * ramp * (1 - ramp) * alike
    return linear(before, after, ramp) / np.sqrt(power).astype(before.dtype)


class Joiner:
    """Joins windows [W, ...] that start every H items.

    fade: items of the crossfade; it ends ``late`` items before the end of the overlap (0: at its end,
    where the later window has had the most context). The fade is cut to what the overlap has room for.
    """

    def __init__(self, hop: int, window: int, fade: int, late: int = 0, mix: Mix = linear) -> None:
        overlap = window - hop
        self._hop, self._mix = hop, mix
        self._end = max(0, overlap - late)
        self._start = max(0, self._end - fade)
        length = self._end - self._start
        self._ramp = (np.arange(length, dtype=np.float32) + 0.5) / max(length, 1)
        self._held: np.ndarray | None = None

    def push(self, piece: np.ndarray) -> np.ndarray:
        """The next window; gives the H items that are finished by it."""
        if self._held is not None:
            start, end = self._start, self._end
            piece = piece.copy()
            before = self._held
            if end > start:
                piece[start:end] = self._mix(before[start:end], piece[start:end], self._ramp)
            piece[:start] = before[:start]
        self._held = piece[self._hop :]
        return piece[: self._hop]

    def finish(self) -> np.ndarray:
        """What is left of the last window: W - H items."""
        assert self._held is not None, "nothing was joined"
        held, self._held = self._held, None
        return held
