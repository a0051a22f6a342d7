"""Level and bandwidth are those of the active parts, however long the pauses and whatever the gain."""

import numpy as np
import pytest

from hsmtss_jax.audio.active import ActiveMeter
from hsmtss_jax.audio.io import resample

RATE = 16_000
NOISE = 0.1 * np.random.default_rng(0).normal(size=2 * RATE).astype(np.float32)


def measured(sound, size=999):
    meter = ActiveMeter(RATE)
    for start in range(0, len(sound), size):
        meter.push(sound[start : start + size])
    return meter.finish()


def test_pauses_count_for_nothing():
    level, bandwidth = measured(NOISE)
    assert level == pytest.approx(0.1, rel=0.02) and bandwidth > 7900
    quiet = 1e-4 * np.random.default_rng(1).normal(size=9 * RATE).astype(np.float32)
    padded = measured(np.concatenate([quiet, NOISE, quiet]))
    assert padded == (pytest.approx(level, rel=0.02), bandwidth)


@pytest.mark.parametrize("gain", [1e-4, 100.0])
def test_the_gain_is_that_of_the_level_and_the_bandwidth_stays(gain):
    level, bandwidth = measured(NOISE)
    assert measured(np.float32(gain) * NOISE) == (pytest.approx(gain * level), bandwidth)


@pytest.mark.parametrize("edge", [3400, 4000, 6000])
def test_the_bandwidth_is_where_the_sound_ends(edge):
    narrow = resample(resample(NOISE, RATE, 2 * edge), 2 * edge, RATE)
    assert 0.9 * edge < measured(narrow)[1] <= edge + 80


def test_silence_has_neither():
    assert measured(np.zeros(1000, np.float32)) == (0.0, 0.0)
    assert ActiveMeter(RATE).finish() == (0.0, 0.0)
