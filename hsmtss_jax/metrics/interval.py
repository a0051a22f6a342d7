"""A mean over examples with its bootstrap confidence interval."""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike


@dataclasses.dataclass(frozen=True)
class Estimate:
    """Store a mean with its interval. count: values used; skipped: infinite or NaN ones left out."""

    mean: float
    low: float
    high: float
    count: int
    skipped: int = 0

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}] (n={self.count})"


def mean_with_interval(
    values: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
    chunk: int = 1 << 22,
) -> Estimate:
    """Compute mean and percentile-bootstrap interval of per-example values; the same for the same seed.

    Values that are not finite are skipped and counted (audioldm_eval does so with infinite PSNR). All
    NaN when nothing is left; an interval of no width for a single value or group.

    Args:
      values: one an example.
      groups: one label a value. Whole groups are drawn instead of single values, for values that are
        not independent (clips of one recording, captions of one clip).
      level: share of the resampled means inside the interval.
      resamples: number of resampled means.
      seed: of the resampling.
      chunk: resampled values held at a time.

    Raises ValueError when the lengths differ.
    """
    values = np.asarray(values, np.float64).ravel()
    keep = np.isfinite(values)
    finite, skipped = values[keep], int(np.sum(~keep))
    if len(finite) == 0:
        return Estimate(np.nan, np.nan, np.nan, 0, skipped)
    sums, sizes = finite, np.ones(len(finite))
    if groups is not None:
        labels = np.asarray(groups).ravel()
        if len(labels) != len(values):
            raise ValueError(f"{len(values)} values, but {len(labels)} groups")
        _, index = np.unique(labels[keep], return_inverse=True)
        sums, sizes = (np.bincount(index, x).astype(np.float64) for x in (finite, sizes))
    means = _resampled_means(sums, sizes, resamples, np.random.default_rng(seed), chunk)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(float(finite.mean()), float(low), float(high), len(finite), skipped)


def paired_difference(
    a: ArrayLike, b: ArrayLike, *, groups: ArrayLike | None = None, seed: int = 0
) -> Estimate:
    """Compute the mean of a - b with its interval, pair by pair; see ``mean_with_interval``.

    A pair of which either value is not finite is skipped and counted. Raises ValueError when the
    lengths differ.
    """
    first, second = (np.asarray(x, np.float64).ravel() for x in (a, b))
    if len(first) != len(second):
        raise ValueError(f"{len(first)} and {len(second)} values are no pairs")
    finite = np.isfinite(first) & np.isfinite(second)
    with np.errstate(invalid="ignore"):
        difference = np.where(finite, first - second, np.nan)
    return mean_with_interval(difference, groups=groups, seed=seed)


def _resampled_means(
    sums: np.ndarray, sizes: np.ndarray, resamples: int, rng: np.random.Generator, chunk: int
) -> np.ndarray:
    """Draw all groups with replacement ``resamples`` times: sums, sizes [G] -> means [resamples]."""
    count = len(sums)
    rows = max(1, chunk // count)
    means = []
    for start in range(0, resamples, rows):
        drawn = rng.integers(0, count, (min(rows, resamples - start), count))
        means.append(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
    return np.concatenate(means)
