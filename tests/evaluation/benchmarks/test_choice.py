"""Chosen clips: worst, median and best in turns, the same however the scores come."""

import math

import pytest

from hsmtss_jax.evaluation.benchmarks.choice import Chosen, choose, shown_route, worse_first
from hsmtss_jax.evaluation.scores import PairScore


def score(index, value, *, route="mask", metric="sdri", group=None):
    return PairScore(
        index=index,
        task="extract",
        route=route,
        text=f"sound {index}",
        group=group or str(index),
        snr_db=0.0,
        values={metric: value},
    )


SCORES = [score(i, float((7 * i) % 11)) for i in range(11)]  # 0 to 10, shuffled


def test_worst_median_and_best_in_turns():
    chosen = choose(SCORES, "mask", "sdri", 6)
    assert [each.rank for each in chosen] == ["worst"] * 2 + ["median"] * 2 + ["best"] * 2
    assert [each.value for each in chosen] == [0, 1, 5, 4, 10, 9]
    assert choose(SCORES[::-1], "mask", "sdri", 6) == chosen
    assert [each.rank for each in choose(SCORES, "mask", "sdri", 1)] == ["worst"]


def test_of_a_distance_the_largest_is_the_worst():
    rows = [score(i, float(i), metric="lsd") for i in range(3)]
    assert choose(rows, "mask", "lsd", 1) == [Chosen(2, "extract", "worst", 2.0)]


def test_a_recording_is_shown_once_while_there_are_others():
    rows = [score(i, float(i), group="a" if i < 3 else str(i)) for i in range(6)]
    assert [each.value for each in choose(rows, "mask", "sdri", 4)] == [0, 4, 3, 5]
    assert len(choose(rows, "mask", "sdri", 99)) == 6


def test_no_number_is_left_out_and_minus_infinity_is_the_worst():
    rows = [score(0, math.nan), score(1, 1.0), score(2, -math.inf)]
    assert [each.index for each in choose(rows, "mask", "sdri", 5)] == [2, 1]


def test_what_is_not_there_is_named():
    with pytest.raises(ValueError, match="no score is of the route blend: choose of mask"):
        choose(SCORES, "blend", "sdri", 3)
    with pytest.raises(ValueError, match="mask has no sdr: choose of sdri"):
        choose(SCORES, "mask", "sdr", 3)


def test_the_route_that_is_shown():
    others = [score(0, 1.0, route=route) for route in ("target", "mixture", "theirs")]
    assert shown_route(others) == "theirs"
    assert shown_route([*others, score(0, 1.0, route="generate"), *SCORES]) == "mask"
    assert shown_route(others[:2]) == "target"


def test_the_worst_first():
    values = {"b": 1.0, "a": 1.0, "c": math.nan, "d": -2.0}
    assert worse_first(values, "sdri") == ["d", "a", "b", "c"]
    assert worse_first(values, "lsd") == ["a", "b", "d", "c"]
