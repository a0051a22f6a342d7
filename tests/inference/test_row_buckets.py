"""Few shapes, whatever the numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsmtss_jax.inference.buckets import batches, length_bucket, padded, row_bucket


@given(st.integers(1, 100), st.integers(1, 100))
def test_rows_fit_and_shapes_are_few(rows, limit):
    sizes = {row_bucket(n, limit) for n in range(1, limit + 1)}
    assert len(sizes) <= 5 and max(sizes) == limit
    parts = list(batches(range(rows), limit))
    assert [i for part in parts for i in part] == list(range(rows))
    assert all(len(part) <= row_bucket(len(part), limit) <= limit for part in parts)


@given(st.integers(1, 160_000))
def test_lengths_fit_and_shapes_are_few(samples):
    length = length_bucket(samples, 160_000, 2560)
    assert samples <= length <= 160_000
    assert length in {40_960, 81_920, 160_000}


def test_padding_repeats_the_last_row():
    tree = {"a": np.arange(6).reshape(3, 2), "b": np.arange(3)}
    grown = padded(tree, 5)
    assert grown["a"].shape == (5, 2) and grown["b"].tolist() == [0, 1, 2, 2, 2]
    with pytest.raises(ValueError, match="negative"):
        padded(tree, 2)
