"""Signal-to-distortion ratios in dB, sample against sample.

They decide between estimates that keep the mixture's phase, as masks do. A sound that a codec has made
is aligned in time, not in phase: for it they say nothing about what is heard.

Edge cases, alike for all: a perfect copy (SI-SDR: a scaled one) is inf; a silent reference is NaN,
because the ratio is undefined; a silent estimate of a sounding reference is 0 dB of SDR and -inf of SI-SDR.
An improvement is NaN where both ratios are the same infinity.

Legend: L samples. Leading axes are kept.
"""

import numpy as np


def sdr(estimate: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Compute the signal-to-distortion ratio [dB], level and offset included: [..., L] x 2 -> [...].

    |s|^2 / |s - x|^2 of reference s and estimate x. Raises ValueError when the shapes differ.
    """
    x, y = _checked(estimate, reference)
    return _decibels(_energy(y), _energy(x - y), _energy(y))


def si_sdr(estimate: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Compute the scale-invariant SDR [dB] of signals without their means: [..., L] x 2 -> [...].

    The reference is scaled to the estimate first (Le Roux et al. 2019). Raises ValueError when the
    shapes differ.
    """
    x, y = (_centred(a) for a in _checked(estimate, reference))
    energy = _energy(y)
    with np.errstate(divide="ignore", invalid="ignore"):
        projection = (np.sum(x * y, axis=-1) / energy)[..., None] * y
    return _decibels(_energy(projection), _energy(x - projection), energy)


def sdri(estimate: np.ndarray, mixture: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Compute the improvement of SDR over the mixture [dB]: [..., L] x 3 -> [...]."""
    return _improvement(sdr(estimate, reference), sdr(mixture, reference))


def si_sdri(estimate: np.ndarray, mixture: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Compute the improvement of SI-SDR over the mixture [dB]: [..., L] x 3 -> [...]."""
    return _improvement(si_sdr(estimate, reference), si_sdr(mixture, reference))


def _checked(estimate: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if np.shape(estimate) != np.shape(reference) or np.size(reference) == 0:
        raise ValueError(f"shapes differ: {np.shape(estimate)} and {np.shape(reference)}")
    return np.asarray(estimate, np.float64), np.asarray(reference, np.float64)


def _centred(x: np.ndarray) -> np.ndarray:
    """Subtract the mean; exactly zero when constant."""
    constant = (x == x[..., :1]).all(axis=-1, keepdims=True)
    return np.where(constant, 0.0, x - x.mean(axis=-1, keepdims=True))


def _energy(x: np.ndarray) -> np.ndarray:
    return np.sum(x**2, axis=-1)


def _decibels(signal: np.ndarray, error: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Compute 10 log10(signal / error); NaN where the reference has no energy."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((signal == 0) & (reference > 0), 0.0, signal / error)
        return np.where(reference > 0, 10.0 * np.log10(ratio), np.nan)[()]


def _improvement(ours: np.ndarray, before: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return ours - before
