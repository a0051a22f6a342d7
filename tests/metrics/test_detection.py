import math

import numpy as np
import pytest

from hsmtss_jax.metrics import auc, auc_with_interval


def test_by_hand():
    assert auc([0.9, 0.8, 0.3, 0.1], [True, True, False, False]) == 1.0
    assert auc([0.9, 0.2, 0.3, 0.1], [True, True, False, False]) == 0.75  # 3 of 4 pairs
    assert auc([1, 1, 1], [True, False, False]) == 0.5  # ties count half
    assert auc([0.1, 0.9], [1, 0]) == 0.0
    assert auc([math.inf, -math.inf], [True, False]) == 1.0


def test_what_is_undefined():
    assert math.isnan(auc([0.1, 0.2], [True, True])) and math.isnan(auc([], []))
    with pytest.raises(ValueError, match="2 scores, but 1"):
        auc([0.1, 0.2], [True])
    with pytest.raises(ValueError, match="is NaN"):
        auc([math.nan, 0.2], [True, False])


@pytest.mark.parity
def test_against_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    scores, present = rng.integers(0, 9, 60), rng.integers(0, 2, 60)
    assert auc(scores, present) == pytest.approx(metrics.roc_auc_score(present, scores))


def test_whole_groups_are_drawn():
    scores, present = [0.9, 0.8, 0.7, 0.1], [True, False, True, False]
    together = auc_with_interval(scores, present, ["a"] * 4)
    assert (together.low, together.mean, together.high) == (0.75, 0.75, 0.75)
    apart = auc_with_interval(scores, present, ["a", "a", "b", "b"])
    assert apart.low == 0.75 < apart.high == 1.0 and apart.count == 4  # (a, b): 0.75; one alone: 1
    assert apart == auc_with_interval(scores, present, ["a", "a", "b", "b"])
    assert math.isnan(auc_with_interval([0.1], [True], ["a"]).low)
    with pytest.raises(ValueError, match="4 scores, but 1 groups"):
        auc_with_interval(scores, present, ["a"])
