"""Few static shapes for calls of any size, and functions of rows in batches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsmtss_jax.sampling import (
    apply_in_batches,
    batches,
    clip_sizes,
    pad_rows,
    round_up,
    row_sizes,
    trim_text,
)


def test_sizes_are_rounded_up_and_never_down():
    assert [round_up(n, (1, 2, 4)) for n in (0, 1, 2, 3, 4)] == [1, 1, 2, 4, 4]
    with pytest.raises(ValueError, match="5 does not fit: the largest size is 4"):
        round_up(5, (1, 2, 4))


def test_rows_are_powers_of_four_up_to_the_limit():
    assert row_sizes(64) == (1, 4, 16, 64)
    assert row_sizes(12) == (1, 4, 12)
    assert row_sizes(1) == (1,)


@given(st.integers(1, 100), st.integers(1, 100))
def test_batches_hold_every_item_once(items, limit):
    parts = list(batches(range(items), limit))
    assert [i for part in parts for i in part] == list(range(items))
    assert max(map(len, parts)) <= limit


@given(st.integers(1, 160_000))
def test_clips_are_a_quarter_a_half_and_the_whole_of_a_window(samples):
    assert clip_sizes(160_000, 2560) == (40_960, 81_920, 160_000)
    assert samples <= round_up(samples, clip_sizes(160_000, 2560))


def test_texts_are_cut_behind_the_longest():
    ids = np.tile(np.arange(70), (2, 1))
    mask = ids < np.array([[4], [11]])
    found, found_mask = trim_text(ids, mask)
    assert found.shape == found_mask.shape == (2, 16) and found_mask.sum() == mask.sum()
    assert trim_text(ids, ids < 65)[0].shape == (2, 70)
    assert trim_text(ids[:, :12], mask[:, :12])[0].shape == (2, 12)
    assert trim_text(ids[:0], mask[:0])[0].shape == (0, 8)


def test_padding_repeats_the_last_row():
    tree = {"a": np.arange(6).reshape(3, 2), "b": np.arange(3)}
    grown = pad_rows(tree, 5)
    assert grown["a"].shape == (5, 2) and grown["b"].tolist() == [0, 1, 2, 2, 2]
    with pytest.raises(ValueError, match="negative"):
        pad_rows(tree, 2)


@given(st.integers(1, 40), st.sampled_from([1, 3, 16]))
def test_a_function_of_rows_meets_few_sizes(rows, limit):
    sizes = set()

    def double(x, pair):
        sizes.add(len(x))
        return {"x": 2 * x, "y": pair["y"] + 1}

    x = np.arange(rows)
    out = apply_in_batches(double, x, {"y": x}, limit=limit)
    assert out["x"].tolist() == (2 * x).tolist() and out["y"].tolist() == (x + 1).tolist()
    assert sizes <= set(row_sizes(limit))


def test_no_row_is_refused():
    with pytest.raises(ValueError, match="no row"):
        apply_in_batches(lambda x: x, np.zeros((0, 2)), limit=4)
