"""How well a score tells presence from absence, such as the presence score of a separation."""

import numpy as np
from numpy.typing import ArrayLike


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
