"""Find where a sound begins and ends, whatever its offset, when its loudness is known only at the end.

Legend: l samples of a block, C channels.
"""

import numpy as np

STEP = 1.2  # between the values that are remembered
QUIET = 1e-4  # of the peak: a step from sample to sample at 16 kHz that is silence
RATE = 16_000


class Extent:
    """Follow the steps from sample to sample of consecutive blocks [l, C]."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._quiet = QUIET * RATE / sample_rate  # steps are as small as samples are dense
        self._seen = 0
        self._last: np.ndarray | None = None
        self._low, self._high = np.full(channels, np.inf), np.full(channels, -np.inf)
        self._rising: list[tuple[int, float]] = []  # places of steps larger than all before
        self._falling: list[tuple[int, float]] = []  # places of steps larger than all behind

    @property
    def peak(self) -> float:
        """Return half of the widest channel's range."""
        return float(np.max(self._high - self._low)) / 2

    def push(self, block: np.ndarray) -> None:
        """Take the next samples."""
        rows = np.ascontiguousarray(block.T)  # reductions over two channels are slow
        before = rows[:, :1] if self._last is None else self._last
        steps = np.abs(np.diff(rows, axis=1, prepend=before)).max(axis=0)
        known = self._rising[-1][1] if self._rising else 0.0
        self._rising += [(self._seen + place, size) for place, size in _records(steps, known)]
        behind = [
            (self._seen + len(steps) - 1 - place, size) for place, size in _records(steps[::-1], 0)
        ]
        largest = behind[-1][1] if behind else 0.0
        kept = [each for each in self._falling if each[1] > largest]
        self._falling = [*kept, *reversed(behind)]
        self._low = np.minimum(self._low, rows.min(axis=1))
        self._high = np.maximum(self._high, rows.max(axis=1))
        self._last, self._seen = rows[:, -1:], self._seen + len(block)

    def span(self) -> tuple[int, int]:
        """Return the first sample of the sound and the first behind it; (0, 0) where nothing moves."""
        quiet = self._quiet * self.peak
        begins = [place for place, size in self._rising if size > quiet]
        ends = [place for place, size in self._falling if size > quiet]
        if not begins or not ends:
            return 0, 0
        # a sound that fills the recording has no step to its first sample, nor from its last
        first = begins[0] if begins[0] > 1 else 0
        return first, ends[-1] if ends[-1] < self._seen - 1 else self._seen


def _records(steps: np.ndarray, known: float) -> list[tuple[int, float]]:
    """Return (place, size) of steps [l] that exceed the record before, ``known`` at first, by STEP."""
    found, start = [], 0
    while start < len(steps):
        larger = steps[start:] > known
        place = int(larger.argmax())
        if not larger[place]:
            break
        start += place
        found.append((start, float(steps[start])))
        known = found[-1][1] * STEP
        start += 1
    return found
