import numpy as np
import pytest

from hsmtss_jax.metrics import cosine_similarity, si_sdr

RNG = np.random.default_rng(0)


def test_cosine():
    x = RNG.standard_normal((3, 4, 8))
    np.testing.assert_allclose(cosine_similarity(x, 2 * x), 1)
    np.testing.assert_allclose(cosine_similarity(x, -x), -1)
    assert cosine_similarity([1.0, 0.0], [0.0, 5.0]) == 0
    assert cosine_similarity(x, x[:, :1]).shape == (3, 4)
    assert cosine_similarity(x, x, axis=1).shape == (3, 8)
    np.testing.assert_array_equal(cosine_similarity(x, 0 * x), 0)


def test_si_sdr_of_known_noise():
    x = RNG.standard_normal((2, 16000))
    noise = RNG.standard_normal((2, 16000))
    got = si_sdr(0.3 * (x + 0.1 * noise) + 4.0, x)
    assert got.shape == (2,)
    np.testing.assert_allclose(got, 20, atol=0.2)


def test_si_sdr_edges():
    x = RNG.standard_normal(1000)
    assert si_sdr(2 * x, x) > 200
    assert np.isnan(si_sdr(x, np.zeros(1000)))
    with pytest.raises(ValueError, match="shapes differ"):
        si_sdr(x, x[:-1])
