"""Distances between sets of sounds by their embeddings: Frechet (FAD) and kernel (KAD) audio distance.

A number of these says which embedding, which reference set and how many sounds; ``SetDistance`` keeps
the counts with it.

Legend: n sounds to judge, m reference sounds, D width of the embedding.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

KAD_SCALE = 100.0  # of the KAD paper's toolkit


@dataclasses.dataclass(frozen=True)
class SetDistance:
    """Store a distance of two sets. estimates, references: how many sounds it was computed from."""

    value: float
    estimates: int
    references: int


def frechet_audio_distance(estimates: np.ndarray, references: np.ndarray) -> SetDistance:
    """Compute the FAD of embeddings [n, D] to [m, D]: between the Gaussians that fit them best.

    |mu - mu'|^2 + tr(C + C' - 2 (C C')^(1/2)). Biased upwards for few sounds, the more so the wider the
    embedding: compare at equal n, or use ``frechet_audio_distance_at_infinity`` or KAD. Raises
    ValueError for sets of fewer than two, or of other widths.
    """
    x, y = _checked(estimates, references)
    mean = np.sum((x.mean(axis=0) - y.mean(axis=0)) ** 2)
    # tr (C C')^(1/2) is the nuclear norm of X Y' for centred X, Y with C = X' X / (n - 1).
    a, b = ((z - z.mean(axis=0)) / np.sqrt(len(z) - 1) for z in (x, y))
    shared = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return _of(float(mean + np.sum(a**2) + np.sum(b**2) - 2 * shared), x, y)


def frechet_audio_distance_at_infinity(
    estimates: np.ndarray,
    references: np.ndarray,
    *,
    sizes: Sequence[int] = (),
    seed: int = 0,
) -> SetDistance:
    """Extrapolate the FAD to infinitely many estimates: the intercept of a line through FAD over 1 / n.

    sizes: of the subsets, drawn without replacement [eight from n / 2 to n]. Raises as
    ``frechet_audio_distance`` does, and ValueError for fewer than two different sizes.
    """
    x, y = _checked(estimates, references)
    counts = list(sizes) or sorted({round(size) for size in np.linspace(len(x) / 2, len(x), 8)})
    if len(set(counts)) < 2 or not 2 <= min(counts) <= max(counts) <= len(x):
        raise ValueError(f"subsets of {counts} sounds make no line over 1 / n: {len(x)} are there")
    rng = np.random.default_rng(seed)
    drawn = (x[rng.permutation(len(x))[:count]] for count in counts)
    values = [frechet_audio_distance(subset, y).value for subset in drawn]
    intercept = np.polyfit(1.0 / np.array(counts), values, 1)[1]
    return _of(float(intercept), x, y)


def kernel_audio_distance(
    estimates: np.ndarray, references: np.ndarray, bandwidth: float | None = None
) -> SetDistance:
    """Compute the KAD of embeddings [n, D] to [m, D]: 100 times the unbiased squared MMD.

    Unbiased at any n, and so it may be negative. The kernel is Gaussian; bandwidth: its width [the
    median distance of the references from one another]. Raises as ``frechet_audio_distance`` does, and
    ValueError for references that are all the same.
    """
    x, y = _checked(estimates, references)
    between = _squared_distances(y, y)
    if bandwidth is None:
        bandwidth = float(np.sqrt(np.median(between[np.triu_indices(len(y), 1)])))
    if not bandwidth > 0:
        raise ValueError("the references are all the same: there is no distance to measure by")
    gamma = 0.5 / bandwidth**2
    within = [
        (np.exp(-gamma * d).sum() - len(d)) / (len(d) * (len(d) - 1))
        for d in (_squared_distances(x, x), between)
    ]
    across = np.exp(-gamma * _squared_distances(x, y)).mean()
    return _of(float(KAD_SCALE * (sum(within) - 2 * across)), x, y)


def _squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Compute |a_i - b_j|^2 -> [n, m], exactly 0 for a point to itself."""
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :] - 2 * a @ b.T
    if a is b:
        np.fill_diagonal(squares, 0.0)
    return np.maximum(squares, 0.0)


def _checked(estimates: np.ndarray, references: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(estimates, np.float64), np.asarray(references, np.float64)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or min(len(x), len(y)) < 2:
        raise ValueError(
            f"embeddings [n, D] and [m, D] of two sounds or more, not {x.shape}, {y.shape}"
        )
    return x, y


def _of(value: float, x: np.ndarray, y: np.ndarray) -> SetDistance:
    return SetDistance(value, estimates=len(x), references=len(y))
