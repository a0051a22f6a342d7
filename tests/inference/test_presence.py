"""The presence score, and the features that are shared."""

import numpy as np
import pytest

from hsmtss_jax.inference.presence import (
    Calibration,
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
