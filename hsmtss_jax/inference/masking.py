"""The generated sound as the reference for a mask: what is left of the recording is the recording's own.

The decoder invents a waveform that sounds like the target and is not aligned with it in phase. Its energy
in bands over time says how much of the recording belongs to the target; the recording's spectrum, at its
own rate and in all its channels, is attenuated to that. Nothing is added, and target + rest = recording.

Legend: L samples, C channels, T mask frames, M bands.
"""

import functools

import numpy as np
from scipy import signal

from hsmtss_jax.audio.mel import mel_filterbank

RATE = 16_000  # of the sounds that the mask is made from
WINDOW, HOP = 1024, 256  # samples at RATE
BANDS = 32
EXPONENT = 0.35  # of the energy ratio: 0.5 matches the energies, less is kinder to wrong estimates
BLOCK = 60  # seconds that are masked at a time


def mask_gains(mixture: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Gains float32 [T, M] in [0, 1], frame t at t * HOP / RATE seconds, from two sounds [L] at 16 kHz."""
    energies = [_band_energy(x) for x in (mixture, reference)]
    ratio = energies[1] / np.maximum(energies[0], 1e-20)
    return (np.minimum(ratio, 1.0) ** EXPONENT).astype(np.float32)


def apply_mask(recording: np.ndarray, sample_rate: int, gains: np.ndarray) -> np.ndarray:
    """The recording [L, C] at any rate, attenuated by gains [T, M]; float32 [L, C].

    Above 8 kHz the gain of the highest band goes on. Spectra are held for a minute at a time.
    """
    hop = round(HOP / RATE * sample_rate)
    window = hop * (WINDOW // HOP)
    block = BLOCK * sample_rate // hop * hop
    out = np.empty_like(recording, np.float32)
    for start in range(0, len(recording), block):
        begin = max(0, start - window)
        end = min(len(recording), start + block + window)
        part = _masked(recording[begin:end], begin, sample_rate, hop, window, gains)
        out[start : start + block] = part[start - begin : start - begin + block]
    return out


def _masked(
    part: np.ndarray, begin: int, rate: int, hop: int, window: int, gains: np.ndarray
) -> np.ndarray:
    """One block [n, C] that starts at sample ``begin``, a multiple of ``hop``."""
    options = {"fs": rate, "window": "hann", "nperseg": window, "noverlap": window - hop}
    length = max(len(part), window)
    padded = np.pad(part, ((0, length - len(part)), (0, 0)))
    freq, times, spectrum = signal.stft(padded, axis=0, **options)  # [F, C, T']
    gain = _resampled(gains, times + begin / rate, freq)
    _, out = signal.istft(spectrum * gain[:, None, :], time_axis=-1, freq_axis=0, **options)
    return out.T[: len(part)].astype(np.float32)


def _resampled(gains: np.ndarray, times: np.ndarray, freq: np.ndarray) -> np.ndarray:
    """Gains [T, M] at other times (s) and frequencies (Hz), linear between frames and bands: [F, T']."""
    frame = np.clip(times * RATE / HOP, 0, len(gains) - 1)
    low = np.minimum(frame.astype(int), max(len(gains) - 2, 0))
    high = np.minimum(low + 1, len(gains) - 1)
    share = (frame - low)[:, None]
    at_times = gains[low] * (1 - share) + gains[high] * share
    weights = np.stack([np.interp(freq, _centres(), row) for row in np.eye(gains.shape[1])])
    return (at_times @ weights).T


def _band_energy(x: np.ndarray) -> np.ndarray:
    """[L] at 16 kHz -> [T, M]."""
    padded = np.pad(x, (0, max(0, WINDOW - len(x))))
    _, _, spectrum = signal.stft(
        padded, RATE, "hann", WINDOW, WINDOW - HOP, scaling="spectrum"
    )  # [F, T]
    return np.abs(spectrum.T) ** 2 @ _filters()


@functools.cache
def _filters() -> np.ndarray:
    """Triangular mel bands [F, M] up to 8 kHz."""
    return mel_filterbank(BANDS, WINDOW, RATE, 0.0, RATE / 2, "slaney")


@functools.cache
def _centres() -> np.ndarray:
    """Centre frequency of each band, Hz [M]."""
    bins = np.arange(WINDOW // 2 + 1) * RATE / WINDOW
    filters = _filters()
    return bins @ filters / filters.sum(axis=0)
