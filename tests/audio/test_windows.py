"""Windows cover the recording, and joining what was cut gives it back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsmtss_jax.audio.overlap_add import OverlapAdd
from hsmtss_jax.audio.windows import cut, cut_blocks, plan_windows


@given(st.integers(1, 5000), st.integers(1, 40), st.integers(0, 39))
def test_join_inverts_cut(length, hop_units, overlap_units):
    unit = 8
    window, overlap = unit * (hop_units + overlap_units), unit * overlap_units
    plan = plan_windows(length, window, overlap, unit)
    audio = np.random.default_rng(length).normal(size=length).astype(np.float32)
    pieces = cut(audio, plan)
    assert pieces.shape == (plan.count, window)
    overlap_add = OverlapAdd(plan.hop, window, fade=16)
    joined = np.concatenate([*map(overlap_add.push, pieces), overlap_add.finish()])
    np.testing.assert_allclose(joined[:length], audio, atol=1e-6)
    assert plan.count == 1 or plan.hop * (plan.count - 1) + window - plan.hop < length


@given(st.integers(1, 500), st.lists(st.integers(0, 60), min_size=1, max_size=20))
def test_blocks_are_cut_as_the_whole_is(first, sizes):
    """However a sound comes in, its windows are the same."""
    sizes = [first, *sizes]
    audio = np.random.default_rng(first).normal(size=sum(sizes)).astype(np.float32)
    plan = plan_windows(len(audio), 40, 16, 8)
    blocks = np.split(audio, np.cumsum(sizes)[:-1])
    np.testing.assert_array_equal(np.stack(list(cut_blocks(blocks, plan))), cut(audio, plan))


def test_hop_must_fit_the_unit():
    with pytest.raises(ValueError, match="multiple of 8"):
        plan_windows(100, 20, 10, 8)
