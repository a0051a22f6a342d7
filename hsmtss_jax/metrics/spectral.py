"""Spectral distances of 16 kHz audio as audioldm_eval and ssr_eval compute them.

All in float64, like the references' FFT (librosa's): where a target is digital silence, LSD measures what
rounding leaves there, and in float32 that is a hundred times the floor of its logarithm.

Legend: L samples, T frames, F bins, M mel bands. Leading axes are kept. Estimate and reference may
differ in length: the longer one is cut.
"""

from typing import NamedTuple

import numpy as np
import scipy.fft

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.audio.mel import mel_filterbank

HOP = 160
MEL_N_FFT = 512
LSD_N_FFT = 743  # int(2048 / (44100 / 16000)), ssr_eval's
_EPS = 1e-12


def mel_psnr(estimate: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Compute the PSNR [dB] between two mel images in [0, 1] (audioldm_eval): [..., L] x 2 -> [...].

    Higher is better; inf for equal images. Each signal loses its mean and is clipped to [-1, 1]; the
    image is 64 Slaney mels of the magnitude, 50-8000 Hz, 100 dB mapped to [0, 1]. Raises ValueError
    for empty input or leading axes that differ.
    """
    x, y = (mel_image(a) for a in _checked(estimate, reference))
    count = min(x.shape[-2], y.shape[-2])
    difference = x[..., :count, :] - y[..., :count, :]
    with np.errstate(divide="ignore"):
        return -10.0 * np.log10(np.mean(difference**2, axis=(-2, -1)))


def mel_distance(estimate: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Compute the MEL-D of codecs: [..., L] x 2 -> [...]; 0 is perfect.

    Mean L1 distance of log10(mel magnitude^2), floored at 1e-5, plus that of the magnitudes, summed
    over 150 Slaney mels of 2048 samples and 80 of 512: the defaults of the Descript audio codec's
    MelSpectrogramLoss, which the HSM-TSS paper most likely means. Raises ValueError as ``mel_psnr``.
    """
    x, y = _checked(estimate, reference)
    count = min(x.shape[-1], y.shape[-1])
    total = np.zeros(x.shape[:-1])
    for mels, n_fft in ((150, 2048), (80, 512)):
        filters = mel_filterbank(mels, n_fft, SAMPLE_RATE, 0.0, SAMPLE_RATE / 2, "slaney", "slaney")
        a, b = (
            magnitude(z[..., :count], n_fft, "reflect", hop=n_fft // 4) @ filters for z in (x, y)
        )
        logs = [2.0 * np.log10(np.maximum(mel, 1e-5)) for mel in (a, b)]
        for first, second in (logs, (a, b)):
            total += np.mean(np.abs(first - second), axis=(-2, -1))
    return total[()]


def lsd(estimate: np.ndarray, reference: np.ndarray, offset: int = 0) -> np.ndarray:
    """Compute the log-spectral distance (ssr_eval): [..., L] x 2 -> [...]; 0 is perfect.

    Both signals lose their mean and are scaled to peak 1, so level does not count. A frame whose
    reference is digital silence scores about 12 whatever the estimate: see ``lsd_active``.
    offset: samples dropped from the estimate's start; audioldm_eval's 1120 undoes a vocoder's lag.
    """
    return frame_distance(estimate, reference, offset).mean()


def lsd_active(
    estimate: np.ndarray, reference: np.ndarray, offset: int = 0, floor_db: float = -60.0
) -> np.ndarray:
    """Compute ``lsd`` over the frames where the reference sounds: [..., L] x 2 -> [...].

    A frame sounds when its energy is within ``floor_db`` [dB] of the reference's loudest frame. NaN
    when the reference is silent throughout.
    """
    return frame_distance(estimate, reference, offset).active_mean(floor_db)


class FrameDistance(NamedTuple):
    """Hold the log-spectral distance of every frame, and the reference's energy in it, both [..., T].

    The energy leaves out bins 0 and 1, where a Hann window puts the DC of the removed mean.
    """

    distance: np.ndarray
    energy: np.ndarray

    def mean(self) -> np.ndarray:
        """Return ``lsd`` [...]."""
        return self.distance.mean(axis=-1)

    def active_mean(self, floor_db: float = -60.0) -> np.ndarray:
        """Return ``lsd_active`` [...]."""
        loudest = self.energy.max(axis=-1, keepdims=True)
        active = (self.energy > loudest * 10.0 ** (floor_db / 10.0)) & (self.energy > 0)
        count = active.sum(axis=-1)
        total = np.where(active, self.distance, 0.0).sum(axis=-1)
        return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)[()]


def frame_distance(estimate: np.ndarray, reference: np.ndarray, offset: int = 0) -> FrameDistance:
    """Compute the log-spectral distance frame by frame. Raises ValueError as ``mel_psnr``."""
    x, y = _checked(estimate, reference)
    if not 0 <= offset < x.shape[-1]:
        raise ValueError(f"offset {offset} leaves nothing of an estimate of {x.shape[-1]} samples")
    x, y = _unit_peak(_centred(x[..., offset:])), _unit_peak(_centred(y))
    count = min(x.shape[-1], y.shape[-1])
    e, t = (magnitude(a[..., :count], LSD_N_FFT, "constant") for a in (x, y))
    ratio = t**2 / (e + _EPS) ** 2 + _EPS
    distance = np.sqrt(np.mean(np.log10(ratio) ** 2, axis=-1))
    return FrameDistance(distance, np.sum(t[..., 2:] ** 2, axis=-1))


def mel_image(audio: np.ndarray) -> np.ndarray:
    """Compute the mel image of audioldm_eval, [..., L] -> float64 [..., T, 64] in [0, 1]."""
    levelled = np.clip(_centred(np.asarray(audio, np.float64)), -1.0, 1.0)
    filters = mel_filterbank(64, MEL_N_FFT, SAMPLE_RATE, 50.0, 8000.0, "slaney", "slaney")
    mel = magnitude(levelled, MEL_N_FFT, "reflect") @ filters
    decibels = 20.0 * np.log10(np.maximum(mel, 1e-5)) - 20.0
    return np.clip((decibels + 100.0) / 100.0, 0.0, 1.0)


def magnitude(audio: np.ndarray, n_fft: int, pad_mode: str, hop: int = HOP) -> np.ndarray:
    """Compute the magnitude of a centred STFT, periodic Hann window: [..., L] -> float64 [..., T, F]."""
    x = np.asarray(audio, np.float64)
    edges = [(0, 0)] * (x.ndim - 1) + [(n_fft // 2, n_fft // 2)]
    padded = np.pad(x, edges, mode=pad_mode)  # type: ignore[call-overload]
    if padded.shape[-1] < n_fft:
        padded = np.pad(padded, [(0, 0)] * (x.ndim - 1) + [(0, n_fft - padded.shape[-1])])
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft, axis=-1)[..., ::hop, :]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    return np.abs(scipy.fft.rfft(frames * window, axis=-1))


def _checked(estimate: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(estimate, np.float64), np.asarray(reference, np.float64)
    if x.ndim == 0 or y.ndim == 0 or x.size == 0 or y.size == 0:
        raise ValueError(f"nothing to compare: shapes {x.shape} and {y.shape}")
    if x.shape[:-1] != y.shape[:-1]:
        raise ValueError(f"shapes {x.shape} and {y.shape} differ before the time axis")
    return x, y


def _centred(x: np.ndarray) -> np.ndarray:
    """Subtract the mean; exactly zero when constant, where rounding would leave something to scale up."""
    constant = (x == x[..., :1]).all(axis=-1, keepdims=True)
    return np.where(constant, 0.0, x - x.mean(axis=-1, keepdims=True))


def _unit_peak(x: np.ndarray) -> np.ndarray:
    """Scale to a peak of 1; silence stays silence (0 / 0 in the reference)."""
    peak = np.abs(x).max(axis=-1, keepdims=True)
    return x / np.where(peak > 0, peak, 1.0)
