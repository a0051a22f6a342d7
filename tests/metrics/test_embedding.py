import json

import numpy as np
import pytest

from hsmtss_jax.metrics import cosine_similarity


def test_known_values():
    a = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    b = np.array([[3.0, 0.0], [-2.0, 0.0], [0.0, 5.0], [1.0, 0.0]])
    np.testing.assert_allclose(cosine_similarity(a, b), [1.0, -1.0, 0.0, np.sqrt(0.5)])


def test_zero_vector_axis_and_broadcast():
    assert cosine_similarity(np.zeros(3), np.ones(3)) == 0.0
    a, b = np.random.default_rng(0).normal(size=(2, 4, 3))
    np.testing.assert_allclose(cosine_similarity(a, b, axis=0), cosine_similarity(a.T, b.T))
    assert cosine_similarity(a[:, None], b[None]).shape == (4, 4)


def test_a_pair_of_vectors_gives_a_number_json_takes():
    assert json.loads(json.dumps(cosine_similarity(np.ones(2), np.ones(2)))) == pytest.approx(1.0)
