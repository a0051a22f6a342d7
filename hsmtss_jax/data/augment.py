"""Augment single clips, numpy. n samples, mono, float32, 16 kHz.

All randomness comes from the Generator passed in. Each transform is applied with its own probability.
"""

import numpy as np
import soxr
from scipy import fft, signal

from hsmtss_jax.audio.constants import SAMPLE_RATE

MAX_SPEED = 2.0 ** (3 / 12)  # three semitones
P_SPEED, P_EQ, P_REVERB = 0.5, 0.5, 0.25
GAIN_DB = (-12.0, 2.0)
EQ_DB = 9.0


def augment(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Apply speed, equaliser, reverberation, polarity and gain at random; [n] -> float32 [m].

    m differs from n by the speed factor (at most MAX_SPEED either way). Peak at most 1.
    """
    if not len(x):
        return x
    if rng.random() < P_SPEED:
        x = change_speed(x, float(MAX_SPEED ** rng.uniform(-1, 1)))
    if rng.random() < P_EQ:
        x = equalise(x, rng)
    if rng.random() < P_REVERB:
        x = reverberate(x, rng)
    gain = 10.0 ** (rng.uniform(*GAIN_DB) / 20.0) * (1.0 if rng.random() < 0.5 else -1.0)
    top = float(np.max(np.abs(x), initial=0.0))
    return (x * (gain / max(1.0, top * abs(gain)))).astype(np.float32)


def change_speed(x: np.ndarray, factor: float) -> np.ndarray:
    """Play ``factor`` times as fast, and so at higher pitch, by resampling; [n] -> [n / factor]."""
    return soxr.resample(x, SAMPLE_RATE * factor, SAMPLE_RATE, quality="LQ")


def equalise(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Apply a random low shelf, peak and high shelf, each up to EQ_DB [dB] either way; [n] -> [n]."""
    low, mid, high = rng.uniform(-EQ_DB, EQ_DB, 3)
    sections = np.stack(
        [
            shelf(float(rng.uniform(100, 500)), low, high=False),
            peaking(float(np.exp(rng.uniform(np.log(300), np.log(4000)))), mid),
            shelf(float(rng.uniform(2500, 6000)), high, high=True),
        ]
    )
    return signal.sosfilt(sections.astype(x.dtype), x)


def reverberate(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add a tail of exponentially decaying noise, RT60 0.1 to 0.8 s; [n] -> [n], level kept."""
    rt60 = rng.uniform(0.1, 0.8)
    n = int(rt60 * 0.7 * SAMPLE_RATE)
    decay = np.exp(np.arange(n, dtype=np.float32) * np.float32(-6.9 / (rt60 * SAMPLE_RATE)))
    room = rng.standard_normal(n, np.float32) * decay
    room *= np.float32(rng.uniform(0.05, 0.6)) / np.sqrt(np.sum(np.square(room)))
    room[0] = 1.0  # the direct sound
    size = fft.next_fast_len(len(x) + n - 1, real=True)
    wet = fft.irfft(fft.rfft(x, size) * fft.rfft(room, size), size)[: len(x)]
    return wet.astype(np.float32)


def peaking(frequency: float, gain_db: float, q: float = 0.9) -> np.ndarray:
    """Design a peaking section [6] (Audio EQ Cookbook, Bristow-Johnson)."""
    w = 2 * np.pi * frequency / SAMPLE_RATE
    a, alpha, c = 10.0 ** (gain_db / 40.0), np.sin(w) / (2 * q), np.cos(w)
    b0, b1, b2 = 1 + alpha * a, -2 * c, 1 - alpha * a
    a0, a1, a2 = 1 + alpha / a, -2 * c, 1 - alpha / a
    return np.array([b0, b1, b2, a0, a1, a2]) / a0


def shelf(frequency: float, gain_db: float, *, high: bool) -> np.ndarray:
    """Design a shelving section [6] of slope 1 (Audio EQ Cookbook); a mirrored low shelf is a high one."""
    w = 2 * np.pi * frequency / SAMPLE_RATE
    a = 10.0 ** (gain_db / 40.0)
    c = -np.cos(w) if high else np.cos(w)
    s, beta = (-1.0 if high else 1.0), np.sqrt(2 * a) * np.sin(w)
    b0 = a * ((a + 1) - (a - 1) * c + beta)
    b1 = s * 2 * a * ((a - 1) - (a + 1) * c)
    b2 = a * ((a + 1) - (a - 1) * c - beta)
    a0 = (a + 1) + (a - 1) * c + beta
    a1 = s * -2 * ((a - 1) + (a + 1) * c)
    a2 = (a + 1) + (a - 1) * c - beta
    return np.array([b0, b1, b2, a0, a1, a2]) / a0
