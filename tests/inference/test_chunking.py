"""Windows cover the recording, and joining what was cut gives it back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsmtss_jax.inference.chunking import crossfade_join, cut, plan_windows


@given(st.integers(1, 5000), st.integers(1, 40), st.integers(0, 39))
def test_join_inverts_cut(length, hop_units, overlap_units):
    unit = 8
    window, overlap = unit * (hop_units + overlap_units), unit * overlap_units
    plan = plan_windows(length, window, overlap, unit)
    audio = np.random.default_rng(length).normal(size=length).astype(np.float32)
    pieces = cut(audio, plan)
    assert pieces.shape == (plan.count, window)
    joined = crossfade_join(pieces, plan.hop, fade=16)
    np.testing.assert_allclose(joined[:length], audio, atol=1e-6)
    assert plan.count == 1 or plan.hop * (plan.count - 1) + window - plan.hop < length


def test_hop_must_fit_the_unit():
    with pytest.raises(ValueError, match="multiple of 8"):
        plan_windows(100, 20, 10, 8)
