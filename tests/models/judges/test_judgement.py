"""A sound's judgement from those of its patches."""

import numpy as np

from hsmtss_jax.models.judges.judgement import Judgement


def test_a_class_is_as_probable_as_its_patches_on_average():
    probability = np.array([[0.5, 0.9], [0.1, 0.1], [0.3, 0.3], [0.3, 0.3]], np.float32)
    embedding = np.arange(8, dtype=np.float32).reshape(4, 2)
    logits = np.log(probability / (1 - probability))
    found = Judgement(logits, embedding).over_patches(2)
    np.testing.assert_allclose(1 / (1 + np.exp(-found.logits)), [[0.3, 0.5], [0.3, 0.3]], rtol=1e-5)
    np.testing.assert_array_equal(found.embedding, [[1, 2], [5, 6]])


def test_extreme_logits_stay_finite():
    logits = np.array([[100.0, -100.0], [100.0, -100.0]], np.float32)
    found = Judgement(logits, logits).over_patches(2)
    np.testing.assert_allclose(found.logits, [[100, -100]], rtol=1e-5)
