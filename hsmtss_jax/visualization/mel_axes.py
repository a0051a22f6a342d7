"""Axes in seconds and kHz for pictures on AudioMAE's log-mel grid.

Legend: L samples, T frames, M mel bands.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np

from hsmtss_jax.audio.fbank import HOP, SAMPLE_RATE, fbank
from hsmtss_jax.audio.mel import hz_to_mel

RANGE_DB = 80.0
_LOW_HZ, _HIGH_HZ = 20.0, 8000.0
_TICKS_KHZ = (0.1, 0.3, 0.6, 1, 2, 4, 7)
_TOP = 10.0 / np.log(10.0)  # natural log of a power -> dB


def log_mel_db(audio: np.ndarray, n_mels: int = 128) -> np.ndarray:
    """Compute the log-mel image [M, T] of 16 kHz audio [L] in dB, 0 the loudest, -80 the least.

    Raises ValueError when it is shorter than a frame (25 ms).
    """
    db = _TOP * np.asarray(fbank(jnp.asarray(audio[None], jnp.float32), n_mels))[0].T
    return np.maximum(db - db.max(), -RANGE_DB)


def mel_position(hz: float, n_mels: int = 128) -> float:
    """Return where a frequency [Hz] lies on the axis of mel bands, band b being centred on b."""
    low, high = (float(hz_to_mel(edge, "kaldi")) for edge in (_LOW_HZ, _HIGH_HZ))
    return (float(hz_to_mel(hz, "kaldi")) - low) / (high - low) * (n_mels + 1) - 1


def draw(axis: Any, image: np.ndarray, frames: int, n_mels: int = 128, **options: Any) -> Any:
    """Draw an image that spans ``frames`` frames and all mel bands, in seconds and kHz."""
    seconds = frames * HOP / SAMPLE_RATE
    extent = (0.0, seconds, -0.5, n_mels - 0.5)
    drawn = axis.imshow(image, origin="lower", aspect="auto", extent=extent, **options)
    axis.set_yticks([mel_position(1000 * k, n_mels) for k in _TICKS_KHZ], _TICKS_KHZ)
    axis.set_ylim(-0.5, n_mels - 0.5)
    axis.set_ylabel("kHz")
    return drawn
