"""The range coder: exact, short, and deaf to nonsense."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hsmtss_jax.codec import range_coder
from tests.codec.test_token_file import sticky


@given(st.integers(1, 1000), st.integers(1, 3), st.integers(1, 40))
@settings(max_examples=30, deadline=None)
def test_what_is_encoded_is_decoded(codes, groups, frames):
    values = sticky(frames, groups, codes)
    data = range_coder.encode(values, codes)
    np.testing.assert_array_equal(range_coder.decode(data, frames, groups, codes), values)


@given(st.binary(max_size=64))
@settings(max_examples=40, deadline=None)
def test_the_range_coder_survives_any_bytes(data):
    got = range_coder.decode(data, 20, 2, 7)
    assert got.min() >= 0 and got.max() < 7


def test_carries_run_through_written_bytes():
    """The last code again and again keeps the interval at its upper end: bytes 255 and carries."""
    for first in range(40):
        values = np.full((300, 1), 999)
        values[first::41] = np.arange(len(values[first::41]))[:, None] * 7 % 1000
        data = range_coder.encode(values, 1000)
        np.testing.assert_array_equal(range_coder.decode(data, 300, 1, 1000), values)


def test_the_coder_comes_near_the_entropy_and_beats_it_where_sounds_last():
    rng = np.random.default_rng(0)
    share = 1.0 / np.arange(1, 33)
    drawn = rng.choice(32, size=(4000, 1), p=share / share.sum())
    counts = np.bincount(drawn[:, 0])
    entropy = -(counts * np.log2(counts / 4000)).sum()
    assert 8 * len(range_coder.encode(drawn, 32)) < 1.07 * entropy
    lasting = sticky(1500, 4, 64)
    columns = [np.bincount(column) for column in lasting.T]
    bound = -sum((c[c > 0] * np.log2(c[c > 0] / 1500)).sum() for c in columns)
    assert 8 * len(range_coder.encode(lasting, 64)) < 0.85 * bound
