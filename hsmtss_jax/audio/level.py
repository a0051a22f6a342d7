"""Levels [dB] and mixing at a signal-to-noise ratio. numpy only. L samples, mono."""

import dataclasses
from typing import Literal

import numpy as np

MixMode = Literal["raw", "scale"]
SILENCE_DB = -120.0  # [dB], of digital silence


@dataclasses.dataclass(frozen=True)
class Mixture:
    """Hold three clips [L] float32, gains applied; mixture = target + other (clipped in mode "raw")."""

    mixture: np.ndarray
    target: np.ndarray
    other: np.ndarray


def rms(x: np.ndarray) -> float:
    """Compute the root mean square over all samples; 0 for an empty array."""
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64)))) if np.size(x) else 0.0


def peak(x: np.ndarray) -> float:
    """Return the largest absolute sample; 0 for an empty array."""
    return float(np.max(np.abs(x))) if np.size(x) else 0.0


def decibels(amplitude: float) -> float:
    """Compute 20 log10 of an amplitude, at least SILENCE_DB."""
    return float(20.0 * np.log10(max(amplitude, 10.0 ** (SILENCE_DB / 20.0))))


def rms_db(x: np.ndarray) -> float:
    """Compute the RMS level [dB re full scale]; SILENCE_DB for silence."""
    return decibels(rms(x))


def snr(target: np.ndarray, other: np.ndarray) -> float:
    """Compute the ratio of two RMS levels over the whole clips, within +-120 [dB]."""
    return rms_db(target) - rms_db(other)


def mix_at_snr(
    target: np.ndarray,
    other: np.ndarray,
    snr_db: float | None,
    *,
    mode: MixMode = "scale",
    headroom: float = 0.9,
) -> Mixture:
    """Add two clips [L], HSM-TSS eq. (1).

    Args:
      target: clip [L].
      other: clip [L].
      snr_db: ratio of target to other [dB] in mode "scale"; None, or a silent clip, keeps the levels.
      mode: "scale" applies a gain to ``other`` and then, if the mixture or a part of it exceeds full scale,
        attenuates all three to a peak of ``headroom`` (AudioSep's rule). "raw" adds and clips to [-1, 1],
        as in the paper's demos; draw pairs again when ``snr`` is out of range.
      headroom: peak after attenuation.

    Raises:
      ValueError: the lengths differ.
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
