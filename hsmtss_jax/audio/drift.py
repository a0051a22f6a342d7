"""Take away what lies below hearing: a constant offset, and drift.

Legend: L samples, l of a block, C channels.
"""

import numpy as np
from scipy import ndimage

LOWEST = 20.0  # [Hz]


def drift(sound: np.ndarray, sample_rate: int) -> np.ndarray:
    """Compute the moving average float32 [L, C] of a sound, what it holds below about 10 Hz.

    The average is a triangle of 100 ms, without delay: nothing of 20 Hz and its multiples, -27 dB
    between. A constant is its own average, at the ends as well.
    """
    size = max(1, round(sample_rate / LOWEST))
    mean = np.asarray(sound, np.float64)
    for _ in range(2):  # two boxes make a triangle
        mean = ndimage.uniform_filter1d(mean, size | 1, axis=0, mode="reflect")
    return mean.astype(np.float32)


class LowCut:
    """Filter low frequencies out of consecutive blocks [l, C].

    Butterworth, second order, -3 dB at 20 Hz; it rings for 0.1 s behind a sound, until -90 dB.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        """Prepare to filter a sound that begins in silence."""
        from scipy import signal  # 0.5 s of import: it brings scipy.stats along

        self._filter = signal.sosfilt
        self._sections = signal.butter(2, LOWEST, "highpass", fs=sample_rate, output="sos")
        self._state = np.zeros((len(self._sections), 2, channels))

    def __call__(self, block: np.ndarray) -> np.ndarray:
        """Return the next samples float32 [l, C]."""
        if not len(block):
            return block
        out, self._state = self._filter(self._sections, block, axis=0, zi=self._state)
        return np.asarray(out, np.float32)
