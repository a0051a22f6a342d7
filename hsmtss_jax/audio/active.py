"""Measure the active parts of a sound, block by block: their level and bandwidth.

A frame of 25 ms is active within 30 dB of the loudest.

Legend: l samples of a block, n frames, F bins of 40 Hz.
"""

import numpy as np
from scipy import fft

from hsmtss_jax.audio.constants import ACTIVE_FRAMES, ACTIVE_RANGE

BEYOND = 1e-5  # share of the energy that may lie above the bandwidth


class ActiveMeter:
    """Measure a mono sound at ``sample_rate`` [Hz]."""

    def __init__(self, sample_rate: int) -> None:
        self._frame = sample_rate // ACTIVE_FRAMES
        self._rest = np.zeros(0, np.float32)
        self._powers: list[np.ndarray] = []
        self._loudest = 0.0
        self._spectrum = np.zeros(self._frame // 2 + 1)
        self._window = np.hanning(self._frame + 1)[:-1].astype(np.float32)

    def push(self, sound: np.ndarray) -> None:
        """Take the next samples [l]."""
        sound = np.concatenate([self._rest, sound])
        whole = len(sound) // self._frame * self._frame
        self._take(sound[:whole].reshape(-1, self._frame))
        self._rest = sound[whole:]

    def finish(self) -> tuple[float, float]:
        """Return the level (RMS) and the bandwidth [Hz]: 0.001 % of the energy lies above it."""
        if len(self._rest):
            self.push(np.zeros(self._frame - len(self._rest), np.float32))
        powers = np.concatenate(self._powers) if self._powers else np.zeros(1)
        active = powers[powers >= ACTIVE_RANGE * powers.max()]
        above = np.cumsum(self._spectrum[::-1])[::-1]
        highest = int(np.count_nonzero(above > BEYOND * above[0])) - 1
        return float(np.sqrt(active.mean())), float(max(0, highest * ACTIVE_FRAMES))

    def _take(self, frames: np.ndarray) -> None:
        """Measure frames [n, frame]; the spectrum is summed over those active so far."""
        powers = np.mean(np.square(frames, dtype=np.float64), axis=1)
        self._powers.append(powers)
        self._loudest = max(self._loudest, float(powers.max(initial=0.0)))
        spectra = np.abs(
            fft.rfft(frames[powers >= ACTIVE_RANGE * self._loudest] * self._window, axis=1)
        )
        self._spectrum += np.sum(np.square(spectra, dtype=np.float64), axis=0)
