"""Mel filter banks, computed with numpy at trace time and never stored as parameters.

F = n_fft // 2 + 1 bins, M mel bands.
"""

import functools
from typing import Literal

import numpy as np

MelScale = Literal["slaney", "htk", "kaldi"]

# Slaney's Auditory Toolbox: linear below 1 kHz, logarithmic above.
_LINEAR_HZ = 200.0 / 3.0
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _LINEAR_HZ
_LOG_STEP = np.log(6.4) / 27.0


def hz_to_mel(hz: np.ndarray | float, scale: MelScale) -> np.ndarray:
    """Convert frequency [Hz] to the given mel scale."""
    hz = np.asarray(hz, np.float64)
    if scale == "htk":
        return 2595.0 * np.log10(1.0 + hz / 700.0)
    if scale == "kaldi":
        return 1127.0 * np.log(1.0 + hz / 700.0)
    if scale == "slaney":
        above = np.log(np.maximum(hz, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
        return np.where(hz < _BREAK_HZ, hz / _LINEAR_HZ, _BREAK_MEL + above)
    raise ValueError(f"mel scale is 'slaney', 'htk' or 'kaldi', not {scale!r}")


def mel_to_hz(mel: np.ndarray | float, scale: MelScale) -> np.ndarray:
    """Invert ``hz_to_mel``."""
    mel = np.asarray(mel, np.float64)
    if scale == "htk":
        return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    if scale == "kaldi":
        return 700.0 * (np.exp(mel / 1127.0) - 1.0)
    if scale == "slaney":
        above = _BREAK_HZ * np.exp(_LOG_STEP * (np.maximum(mel, _BREAK_MEL) - _BREAK_MEL))
        return np.where(mel < _BREAK_MEL, mel * _LINEAR_HZ, above)
    raise ValueError(f"mel scale is 'slaney', 'htk' or 'kaldi', not {scale!r}")


@functools.lru_cache(maxsize=64)
def mel_filterbank(
    n_mels: int,
    n_fft: int,
    sample_rate: int,
    f_min: float,
    f_max: float,
    scale: MelScale = "slaney",
    norm: Literal["slaney"] | None = None,
) -> np.ndarray:
    """Compute triangular filters, float32 [F, M], read-only: ``spectrum @ filters`` is the mel spectrum.

    A filter narrower than the bins may be empty.

    Args:
      n_mels: M.
      n_fft: FFT size [samples].
      sample_rate: [Hz].
      f_min: lower edge of the first filter [Hz].
      f_max: upper edge of the last filter [Hz].
      scale: "slaney" and "htk" draw the triangles over Hz (librosa, torchaudio), "kaldi" over mel and
        leaves the Nyquist bin out.
      norm: "slaney" gives every filter unit area in Hz (librosa's default), None a peak of 1.

    Raises:
      ValueError: the edges do not rise within 0 to the Nyquist frequency.
    """
    if not 0 <= f_min < f_max <= sample_rate / 2:
        raise ValueError(f"mel range {f_min} to {f_max} Hz must rise within 0 to {sample_rate / 2}")
    bins = np.arange(n_fft // 2 + 1) * (sample_rate / n_fft)
    edges = np.linspace(hz_to_mel(f_min, scale), hz_to_mel(f_max, scale), n_mels + 2)
    edges_hz = mel_to_hz(edges, scale)
    filters = (
        _triangles(hz_to_mel(bins, scale), edges)
        if scale == "kaldi"
        else _triangles(bins, edges_hz)
    )
    if scale == "kaldi":
        filters[-1] = 0.0
    if norm == "slaney":
        filters = filters * (2.0 / (edges_hz[2:] - edges_hz[:-2]))[None, :]
    filters = filters.astype(np.float32)
    filters.flags.writeable = False
    return filters


def _triangles(points: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Evaluate triangles over ``edges`` [M + 2] at ``points`` [F] -> [F, M]."""
    left, centre, right = edges[None, :-2], edges[None, 1:-1], edges[None, 2:]
    rising = (points[:, None] - left) / (centre - left)
    falling = (right - points[:, None]) / (right - centre)
    return np.maximum(0.0, np.minimum(rising, falling))
