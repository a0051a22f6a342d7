"""How well a score tells presence from absence, such as the presence score of a separation."""

import numpy as np
from numpy.typing import ArrayLike

from hsmtss_jax.metrics.interval import Estimate


def auc(scores: ArrayLike, present: ArrayLike) -> float:
    """Compute the area under the ROC curve: how often a present one scores above an absent one.

    scores: one an example; present: whether what was asked for is there. Ties count half; NaN when all
    are present, or none. Raises ValueError when the lengths differ or a score is NaN.
    """
    values, there = np.asarray(scores, np.float64).ravel(), np.asarray(present, bool).ravel()
    if len(values) != len(there):
        raise ValueError(f"{len(values)} scores, but {len(there)} answers")
    if np.isnan(values).any():
        raise ValueError("a score is NaN: leave that example out, and say so")
    positive, negative = values[there], np.sort(values[~there])
    if not len(positive) or not len(negative):
        return float("nan")
    below = [np.searchsorted(negative, positive, side) for side in ("left", "right")]
    return float(np.mean(below) / len(negative))


def auc_with_interval(
    scores: ArrayLike,
    present: ArrayLike,
    groups: ArrayLike,
    *,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Compute ``auc`` with a percentile-bootstrap interval; the same for the same seed.

    Args:
      scores, present: as in ``auc``.
      groups: one label an example; whole groups are drawn.
      level: share of the resampled AUCs inside the interval.
      resamples: number of resampled AUCs; those with one kind of example alone are left out.
      seed: of the resampling.

    Raises ValueError as ``auc`` does, and for groups of another length.
    """
    values, there = np.asarray(scores, np.float64).ravel(), np.asarray(present, bool).ravel()
    mean = auc(values, there)
    labels = np.asarray(groups).ravel()
    if len(labels) != len(values):
        raise ValueError(f"{len(values)} scores, but {len(labels)} groups")
    members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    rng = np.random.default_rng(seed)
    drawn = (
        np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))])
        for _ in range(resamples if np.isfinite(mean) else 0)
    )
    found = [value for rows in drawn if np.isfinite(value := auc(values[rows], there[rows]))]
    edges = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(found, edges) if found else (np.nan, np.nan)
    return Estimate(mean, float(low), float(high), len(values))
