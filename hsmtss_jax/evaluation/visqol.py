"""ViSQOL in its audio mode: the predicted opinion score of a decoded clip, 1 to about 4.73. Clips under
about 0.9 seconds hold no patch of it.

The extra ``eval`` brings visqol-python, a port of Google's program that gives its numbers (nine
times faster where numba is installed too).
"""

import importlib.util
from collections.abc import Callable

import numpy as np

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.audio.io import resample

RATE = 48_000  # of the audio mode
_SHORTEST = 0.5  # seconds; below, its patches do not fit


def available() -> bool:
    """Return whether the package is installed."""
    return importlib.util.find_spec("visqol") is not None


def make_visqol(sample_rate: int = SAMPLE_RATE) -> Callable[[np.ndarray, np.ndarray], float]:
    """Return ``judge(estimate [L], reference [L])`` -> MOS-LQO; NaN for a clip that is silent or too short.

    Raises ValueError when the package is not installed.
    """
    if not available():
        raise ValueError("ViSQOL needs visqol-python: pip install 'hsmtss-jax[eval]'")
    from visqol import VisqolApi

    api = VisqolApi()
    api.create(mode="audio")

    def judge(estimate: np.ndarray, reference: np.ndarray) -> float:
        if len(reference) < _SHORTEST * sample_rate or not np.any(reference):
            return float("nan")
        wanted, found = (
            resample(x, sample_rate, RATE).astype(np.float64) for x in (reference, estimate)
        )
        try:
            return float(api.measure_from_arrays(wanted, found, RATE).moslqo)
        except (ValueError, RuntimeError, IndexError):  # too little sound for a single patch
            return float("nan")

    return judge
