"""Crossfades keep the level, and windows of one sound are joined to that sound."""

import numpy as np
import pytest

from hsmtss_jax.audio.overlap_add import OverlapAdd, equal_level_crossfade, linear_crossfade
from hsmtss_jax.audio.windows import cut, plan_windows


def noise(seed, samples):
    return (0.1 * np.random.default_rng(seed).normal(size=samples)).astype(np.float32)


def test_a_plain_crossfade_of_independent_sounds_dips():
    """What ``equal_level_crossfade`` is for, and that it leaves alike sounds alone."""
    a, b = noise(1, 1000), noise(2, 1000)
    ramp = (np.arange(1000, dtype=np.float32) + 0.5) / 1000
    middle = slice(400, 600)
    usual = np.mean(a**2)
    assert np.mean(linear_crossfade(a, b, ramp)[middle] ** 2) < 0.6 * usual
    assert np.mean(equal_level_crossfade(a, b, ramp)[middle] ** 2) > 0.85 * usual
    np.testing.assert_allclose(equal_level_crossfade(a, a, ramp), a, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("fade", "tail"), [(0, 0), (8, 0), (8, 4), (100, 0), (8, 100)])
def test_equal_windows_are_joined_exactly(fade, tail):
    audio = np.random.default_rng(0).normal(size=300).astype(np.float32)
    plan = plan_windows(len(audio), 60, 20)
    overlap_add = OverlapAdd(plan.hop, plan.window, fade, tail)
    joined = np.concatenate([*map(overlap_add.push, cut(audio, plan)), overlap_add.finish()])
    np.testing.assert_allclose(joined[: len(audio)], audio, atol=1e-6)


def test_there_is_nothing_to_finish_before_the_first_window():
    with pytest.raises(ValueError, match="no window was pushed"):
        OverlapAdd(40, 60, 8).finish()
