"""Levels of clips in steps of 10 ms, measured once, so that mixtures can be chosen without their sound.

n samples of a clip, F frames of all clips together.
"""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from hsmtss_jax.data.active_level import ACTIVE_DB, FRAME
from hsmtss_jax.data.sources import FULL_SCALE, ClipSource


class LevelTable:
    """Look up frame energies of clips: sums of squares over FRAME samples. Picklable.

    Args:
      path: a float32 array [F], the clips behind one another; read through a memory map.
      lengths: samples of each clip, int [clips].
    """

    def __init__(self, path: Path, lengths: np.ndarray) -> None:
        self._path, self.lengths = path, lengths
        self._starts = np.concatenate([[0], np.cumsum(-(-lengths // FRAME))])

    @functools.cached_property
    def _energies(self) -> np.ndarray:
        return np.load(self._path, mmap_mode="r", allow_pickle=False).view(np.ndarray)

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_energies"}

    def create(self) -> None:
        """Write a table of zeros, for ``measure`` to fill."""
        frames = int(self._starts[-1])
        np.lib.format.open_memmap(self._path, "w+", np.float32, (frames,)).flush()

    def measure(self, source: ClipSource, clips: range) -> None:
        """Fill in the levels of some clips."""
        table = np.load(self._path, mmap_mode="r+", allow_pickle=False)
        for clip in clips:
            energies = frame_energies(source.samples(clip))
            table[self._starts[clip] : self._starts[clip + 1]] = energies
        table.flush()

    def energies(self, clip: int) -> np.ndarray:
        """Return the frame energies of a clip, float32 [frames]."""
        return self._energies[self._starts[clip] : self._starts[clip + 1]]


def frame_energies(audio: np.ndarray) -> np.ndarray:
    """Sum the squares of samples int16 [n] over frames, the last one filled up: float32 [frames]."""
    x = np.zeros(-(-len(audio) // FRAME) * FRAME, np.float32)
    x[: len(audio)] = audio
    frames = x.reshape(-1, FRAME)
    return np.einsum("ij,ij->i", frames, frames) / np.float32(FULL_SCALE**2)


def active_db(energies: np.ndarray) -> float:
    """Compute the level of the frames within ACTIVE_DB of the loudest [dB]; -120 for silence."""
    top = float(energies.max(initial=0.0))
    if top <= 0.0:
        return -120.0
    active = energies[energies >= top * 10.0 ** (ACTIVE_DB / 10.0)]
    return max(-120.0, float(10.0 * np.log10(np.mean(active, dtype=np.float64) / FRAME)))
