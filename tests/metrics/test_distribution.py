import numpy as np
import pytest
import scipy.linalg

from hsmtss_jax.metrics import (
    frechet_audio_distance,
    frechet_audio_distance_at_infinity,
    kernel_audio_distance,
)

SQUARE = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])  # covariance 4/3


def test_fad_by_hand():
    """Gaussians with covariances c and 4 c: 2 (sqrt(c) - sqrt(4 c))^2, and the means' distance."""
    found = frechet_audio_distance(2 * SQUARE + [3.0, 4.0], SQUARE)
    assert found.value == pytest.approx(25.0 + 2 * 4 / 3)
    assert (found.estimates, found.references) == (4, 4)
    assert frechet_audio_distance(SQUARE, SQUARE).value == pytest.approx(0.0, abs=1e-12)


def test_fad_is_the_textbook_s_formula():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 6)) @ rng.normal(size=(6, 6)) + 1, rng.normal(size=(30, 6))
    a, b = np.cov(x.T), np.cov(y.T)
    root = scipy.linalg.sqrtm(a @ b).real
    expected = np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(a + b - 2 * root)
    assert frechet_audio_distance(x, y).value == pytest.approx(expected, rel=1e-6)


def test_few_sounds_in_a_wide_embedding_are_defined():
    x, y = np.random.default_rng(1).normal(size=(2, 5, 50))
    assert frechet_audio_distance(x, x).value == pytest.approx(0.0, abs=1e-9)
    assert frechet_audio_distance(x, y).value > 0


def test_fad_at_infinity_takes_the_bias_of_few_sounds_away():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(200, 16)), rng.normal(size=(4_000, 16))
    biased, limit = frechet_audio_distance(x, y), frechet_audio_distance_at_infinity(x, y)
    assert abs(limit.value) < 0.5 * biased.value
    assert limit == frechet_audio_distance_at_infinity(x, y)
    with pytest.raises(ValueError, match="make no line"):
        frechet_audio_distance_at_infinity(x, y, sizes=[100])


def test_kad_by_hand():
    """Points 0, 2 and 1, 3 on a line: k(d) = exp(-d^2 / 8), the references' distance being 2."""
    x, y = np.array([[0.0], [2.0]]), np.array([[1.0], [3.0]])
    k = {d: np.exp(-(d**2) / 8) for d in (1, 2, 3)}
    expected = 100 * (k[2] + k[2] - 2 * (3 * k[1] + k[3]) / 4)
    found = kernel_audio_distance(x, y)
    assert found.value == pytest.approx(expected) and found.references == 2
    gamma = 1 / 2
    k = {d: np.exp(-gamma * d**2) for d in (1, 2, 3)}
    expected = 100 * (2 * k[2] - 2 * (3 * k[1] + k[3]) / 4)
    assert kernel_audio_distance(x, y, bandwidth=1.0).value == pytest.approx(expected)


def test_kad_is_unbiased():
    rng = np.random.default_rng(3)
    values = [kernel_audio_distance(*rng.normal(size=(2, 8, 4))).value for _ in range(400)]
    assert abs(np.mean(values)) < 4 * np.std(values) / 20
    assert min(values) < 0


@pytest.mark.parametrize("distance", [frechet_audio_distance, kernel_audio_distance])
def test_what_is_no_set_is_refused(distance):
    for x, y in ((SQUARE, SQUARE[:1]), (SQUARE, SQUARE[:, :1]), (SQUARE[0], SQUARE)):
        with pytest.raises(ValueError, match="two sounds or more"):
            distance(x, y)
    with pytest.raises(ValueError, match="all the same"):
        kernel_audio_distance(SQUARE, np.ones((3, 2)))
