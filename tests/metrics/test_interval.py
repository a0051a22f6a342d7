import dataclasses
import json

import numpy as np
import pytest

from hsmtss_jax.metrics import Estimate, mean_with_interval, paired_difference


def test_agrees_with_the_normal_approximation():
    values = np.random.default_rng(1).normal(3.0, 2.0, 400)
    estimate = mean_with_interval(values)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert estimate.mean == pytest.approx(values.mean()) and estimate.count == 400
    assert estimate.low == pytest.approx(values.mean() - half, abs=0.03)
    assert estimate.high == pytest.approx(values.mean() + half, abs=0.03)


def test_seed_level_and_resamples():
    values = np.random.default_rng(1).normal(size=50)
    wide, narrow = mean_with_interval(values, level=0.99), mean_with_interval(values, level=0.5)
    assert wide == mean_with_interval(values, level=0.99)
    assert wide != mean_with_interval(values, level=0.99, seed=1)
    assert wide.low < narrow.low < narrow.mean < narrow.high < wide.high
    assert mean_with_interval(values, resamples=10).count == 50


def test_infinite_and_missing_values_are_skipped_and_counted():
    estimate = mean_with_interval([1.0, np.inf, 3.0, np.nan])
    assert (estimate.mean, estimate.count, estimate.skipped) == (2.0, 2, 2)


def test_one_value_and_none():
    assert mean_with_interval([2.0]) == Estimate(2.0, 2.0, 2.0, 1)
    empty = mean_with_interval([])
    assert empty.count == 0 and np.isnan([empty.mean, empty.low, empty.high]).all()


def test_frozen_and_plain():
    estimate = mean_with_interval([1.0, 2.0])
    with pytest.raises(dataclasses.FrozenInstanceError):
        estimate.mean = 0.0  # type: ignore[misc]
    assert json.loads(json.dumps(dataclasses.asdict(estimate)))["count"] == 2
    assert str(Estimate(1.0, 0.5, 1.5, 3)) == "1.000 [0.500, 1.500] (n=3)"


def test_groups_are_drawn_whole():
    """Forty copies of five values know no more than the five."""
    five = np.array([0.0, 1.0, 2.0, 5.0, 7.0])
    many = np.repeat(five, 40)
    grouped = mean_with_interval(many, groups=np.repeat(np.arange(5), 40))
    alone, naive = mean_with_interval(five), mean_with_interval(many)
    assert grouped.mean == alone.mean and grouped.count == 200
    assert (grouped.low, grouped.high) == (alone.low, alone.high)
    assert naive.high - naive.low < 0.5 * (grouped.high - grouped.low)


def test_groups_of_unequal_size_and_missing_values():
    estimate = mean_with_interval([1.0, 1.0, np.nan, 4.0], groups=["a", "a", "a", "b"])
    assert (estimate.mean, estimate.low, estimate.high) == (2.0, 1.0, 4.0)
    assert (estimate.count, estimate.skipped) == (3, 1)
    with pytest.raises(ValueError, match="2 values, but 1 groups"):
        mean_with_interval([1.0, 2.0], groups=["a"])


def test_a_paired_difference_knows_no_spread_between_the_pairs():
    a = np.random.default_rng(0).normal(20, 8, 50)
    found = paired_difference(a - 0.5, a)
    np.testing.assert_allclose([found.mean, found.low, found.high], [-0.5] * 3, atol=1e-9)
    b = a.copy()
    b[3], a[4] = np.inf, -np.inf
    assert paired_difference(a, b).count == 48 and paired_difference(a, b).skipped == 2
    grouped = paired_difference([0.0, 0.0, 3.0, 3.0], [0, 0, 0, 0], groups=["a", "a", "b", "b"])
    assert (grouped.low, grouped.high) == (0.0, 3.0)
    with pytest.raises(ValueError, match="no pairs"):
        paired_difference([1.0], [1.0, 2.0])
