"""Kullback-Leibler divergence of what a tagger hears, as audioldm_eval computes it (the paper's KL).

A number of it means nothing without the tagger's name.

Legend: n sounds, C classes.
"""

import numpy as np
from scipy.special import expit, log_softmax, softmax, xlogy

_EPS = 1e-6  # audioldm_eval's, on the estimate alone


def kl_softmax(estimate: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Compute KL(reference || estimate) of classes that exclude one another: logits [n, C] x 2 -> [n].

    The number that audioldm_eval prints as KL. Raises ValueError when the shapes differ.
    """
    x, y = _checked(estimate, reference)
    p, log_p = softmax(y, axis=-1), log_softmax(y, axis=-1)
    return np.sum(p * (log_p - np.log(softmax(x, axis=-1) + _EPS)), axis=-1)


def kl_sigmoid(estimate: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Compute sum of p (ln p - ln q) over classes by themselves: logits [n, C] x 2 -> [n].

    No divergence in the strict sense (its complement's half is missing, and it may be negative), but
    what audioldm_eval prints beside the other. Raises ValueError when the shapes differ.
    """
    x, y = _checked(estimate, reference)
    p = expit(y)
    return np.sum(xlogy(p, p) - p * np.log(expit(x) + _EPS), axis=-1)


def _checked(estimate: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if np.shape(estimate) != np.shape(reference) or np.ndim(reference) != 2:
        raise ValueError(
            f"logits of one shape [n, C], not {np.shape(estimate)}, {np.shape(reference)}"
        )
    return np.asarray(estimate, np.float64), np.asarray(reference, np.float64)
