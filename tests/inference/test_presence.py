"""The presence score, shared features, and the activity curve that follows the target's level."""

import numpy as np
import pytest

from hsmtss_jax.bundles.pipeline import Calibration
from hsmtss_jax.inference.presence import (
    STEP,
    ActivityMeter,
    presence,
    presence_weights,
    shared_feature,
)


def test_the_best_window_counts():
    found = presence([0.1, 0.5, -0.2], [0.0, 0.3, 0.1])
    assert (found.predicted, found.mixture) == (0.5, 0.3)
    assert float(found) == pytest.approx(0.4)


def test_scores_lie_between_0_and_1():
    assert float(presence([-0.9], [-0.8])) == 0
    calibration = Calibration(slope=8.0, bias=-2.0)
    scores = [float(presence([x], [x], calibration)) for x in (-1.0, 0.0, 0.25, 1.0)]
    assert scores == sorted(scores) and scores[0] > 0 and scores[-1] < 1
    assert scores[2] == pytest.approx(0.5)


def test_windows_without_the_sound_hardly_count():
    weights = presence_weights([(0.5, 0.5), (-0.2, -0.1), (0.25, 0.25)])
    assert weights.sum() == pytest.approx(1) and weights[1] < 0.01
    assert weights[0] == pytest.approx(2 * weights[2], rel=0.01)


def test_a_shared_feature_is_as_long_as_the_others():
    features = np.array([[[3.0, 0.0]], [[0.0, 3.0]], [[9.0, 9.0]]], np.float32)
    shared = shared_feature(features, np.array([0.5, 0.5, 0.0], np.float32))
    np.testing.assert_allclose(shared, [[3 / np.sqrt(2), 3 / np.sqrt(2)]], rtol=1e-5)
    alone = shared_feature(features[:1], np.ones(1, np.float32))
    np.testing.assert_allclose(alone, features[0])


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
