"""Waveform measures, for information only: the paper's system is aligned in time, not in phase."""

import numpy as np


def si_sdr(estimate: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Scale-invariant signal-to-distortion ratio in dB, zero-mean: [..., L], [..., L] -> [...].

    inf for a scaled copy, NaN for a silent reference (Le Roux et al. 2019). Raises ValueError when
    the lengths differ.
    """
    if np.shape(estimate) != np.shape(reference):
        raise ValueError(f"shapes differ: {np.shape(estimate)} and {np.shape(reference)}")
    x, y = (np.asarray(a, np.float64) for a in (estimate, reference))
    x, y = (a - a.mean(axis=-1, keepdims=True) for a in (x, y))
    energy = np.sum(y**2, axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        projection = np.sum(x * y, axis=-1, keepdims=True) / energy * y
        error = np.sum((x - projection) ** 2, axis=-1)
        return 10.0 * np.log10(np.sum(projection**2, axis=-1) / error)
