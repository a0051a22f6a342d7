"""The activity curve follows the level of the target."""

import numpy as np
import pytest

from hsmtss_jax.inference.activity import STEP, ActivityMeter


@pytest.mark.parametrize("block", [1, 777, 10**6])
def test_the_curve_follows_the_level(block):
    rate = 8000
    gains = np.repeat([1.0, 0.1, 0.0, 1.0, 0.01], round(STEP * rate))[:, None]
    sound = (0.5 * gains * np.ones((1, 2))).astype(np.float32)
    sound = np.concatenate([sound, sound[-100:]])
    meter = ActivityMeter(rate)
    for start in range(0, len(sound), block):
        meter.push(sound[start : start + block])
    found = meter.finish()
    np.testing.assert_allclose(found.values[:5], [1.0, 0.5, 0.0, 1.0, 0.0], atol=1e-4)
    np.testing.assert_allclose(found.times, STEP * (np.arange(6) + 0.5), atol=1e-9)


def test_silence_is_never_active():
    meter = ActivityMeter(8000)
    meter.push(np.zeros((5000, 1), np.float32))
    assert not meter.finish().values.any()
