"""Measure levels over what is heard of a clip, pauses left out. numpy, n samples."""

import numpy as np

from hsmtss_jax.audio import level

FRAME = 160  # samples; the active part is measured in 10 ms frames
ACTIVE_DB = -40.0  # a frame within this of the loudest one is active


def active_rms(x: np.ndarray) -> float:
    """Compute the RMS over the frames within ACTIVE_DB of the loudest; 0 for silence."""
    frames = x[: len(x) // FRAME * FRAME].reshape(-1, FRAME)
    power = np.mean(np.square(frames, dtype=np.float64), axis=1)
    top = power.max(initial=0.0)
    if top <= 0.0:
        return level.rms(x)
    return float(np.sqrt(np.mean(power[power >= top * 10.0 ** (ACTIVE_DB / 10.0)])))


def active_snr_db(target: np.ndarray, other: np.ndarray) -> float:
    """Compute the ratio of the active levels [dB]; within +-120 when one is silent."""
    a, b = max(active_rms(target), 1e-6), max(active_rms(other), 1e-6)
    return float(np.clip(20.0 * np.log10(a / b), -120.0, 120.0))
