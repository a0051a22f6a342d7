"""Levels in decibels and mixing at a signal-to-noise ratio. numpy only. L samples, mono."""

import dataclasses
from typing import Literal

import numpy as np

MixMode = Literal["raw", "scale"]
SILENCE_DB = -120.0  # what the decibel functions give for digital silence


@dataclasses.dataclass(frozen=True)
class Mixture:
    """Three clips [L] float32, gains applied; mixture = target + other (clipped in mode "raw")."""

    mixture: np.ndarray
    target: np.ndarray
    other: np.ndarray


def rms(x: np.ndarray) -> float:
    """Root mean square over everything; 0 for an empty array."""
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64)))) if np.size(x) else 0.0


def peak(x: np.ndarray) -> float:
    """Largest absolute sample; 0 for an empty array."""
    return float(np.max(np.abs(x))) if np.size(x) else 0.0


def decibels(amplitude: float) -> float:
    """20 log10 of an amplitude, not below SILENCE_DB."""
    return float(20.0 * np.log10(max(amplitude, 10.0 ** (SILENCE_DB / 20.0))))


def rms_db(x: np.ndarray) -> float:
    """RMS level in dB re full scale; SILENCE_DB for silence."""
    return decibels(rms(x))


def peak_db(x: np.ndarray) -> float:
    """Peak level in dB re full scale; SILENCE_DB for silence."""
    return decibels(peak(x))


def snr(target: np.ndarray, other: np.ndarray) -> float:
    """Ratio of the two RMS levels in dB over the whole clips, within +-120."""
    return rms_db(target) - rms_db(other)


def mix_at_snr(
    target: np.ndarray,
    other: np.ndarray,
    snr_db: float | None,
    *,
    mode: MixMode = "scale",
    headroom: float = 0.9,
) -> Mixture:
    """Adds two clips [L] (paper eq. 1).

    mode "scale": a gain on ``other`` sets the ratio to ``snr_db`` (None, or a silent clip, leaves it
    as it is); then, if the mixture or a part of it exceeds full scale, all three are turned down to a
    peak of ``headroom`` (AudioSep's rule). mode "raw": plain addition clipped to [-1, 1], as the
    paper's demos are; draw pairs again when ``snr`` is out of range. ValueError for unequal lengths.
    """
    target, other = np.asarray(target, np.float32), np.asarray(other, np.float32)
    if target.shape != other.shape:
        raise ValueError(f"clips to mix have unequal shapes {target.shape} and {other.shape}")
    if mode == "raw":
        return Mixture(np.clip(target + other, -1.0, 1.0), target, other)
    if mode != "scale":
        raise ValueError(f"mix mode is 'scale' or 'raw', not {mode!r}")
    levels = rms(target), rms(other)
    if snr_db is not None and min(levels) > 0:
        other = other * np.float32(levels[0] / levels[1] * 10.0 ** (-snr_db / 20.0))
    loudest = max(peak(target + other), peak(target), peak(other))
    if loudest > 1.0:
        gain = np.float32(headroom / loudest)
        target, other = target * gain, other * gain
    return Mixture(target + other, target, other)
