"""A mean over examples with its bootstrap confidence interval."""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

_CHUNK = 1 << 22  # resampled values held at a time


@dataclasses.dataclass(frozen=True)
class Estimate:
    """Mean with a confidence interval. count: values used; skipped: infinite or NaN ones left out."""

    mean: float
    low: float
    high: float
    count: int
    skipped: int = 0

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}] (n={self.count})"


def mean_with_interval(
    values: ArrayLike, *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Estimate:
    """Mean and percentile-bootstrap interval of per-example values; the same for the same seed.

    Values that are not finite are skipped and counted (audioldm_eval does so with infinite PSNR). All
    NaN when nothing is left; an interval of no width for a single value.
    """
    values = np.asarray(values, np.float64).ravel()
    finite = values[np.isfinite(values)]
    count, skipped = len(finite), len(values) - len(finite)
    if count == 0:
        return Estimate(np.nan, np.nan, np.nan, 0, skipped)
    rng = np.random.default_rng(seed)
    rows = max(1, _CHUNK // count)
    means = np.concatenate(
        [
            finite[rng.integers(0, count, (min(rows, resamples - start), count))].mean(axis=1)
            for start in range(0, resamples, rows)
        ]
    )
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(float(finite.mean()), float(low), float(high), count, skipped)
