"""Losses of the mask decoder, by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.losses.masking import error_level, presence_error, spectral_error

LENGTH = 4096


@pytest.fixture(scope="module")
def sounds():
    rng = np.random.default_rng(0)
    target, other = (jnp.asarray(rng.normal(size=(2, LENGTH)), jnp.float32) for _ in range(2))
    return target, target + other


def test_error_level_is_the_decimal_logarithm_of_error_over_mixture(sounds):
    target, mixture = sounds
    estimate = target + 0.1 * mixture
    np.testing.assert_allclose(error_level(estimate, target, mixture), np.log10(0.011), atol=1e-4)
    np.testing.assert_allclose(error_level(target, target, mixture), -3.0, atol=1e-5)


def test_error_level_of_target_and_rest_are_one(sounds):
    target, mixture = sounds
    estimate = 0.7 * target
    rest = error_level(mixture - estimate, mixture - target, mixture)
    np.testing.assert_allclose(error_level(estimate, target, mixture), rest, atol=1e-4)


@pytest.mark.parametrize("loss", [error_level, spectral_error])
def test_gain_of_the_whole_example_does_not_matter(sounds, loss):
    target, mixture = sounds
    quiet = loss(0.05 * mixture, 0.1 * target, 0.1 * mixture)
    np.testing.assert_allclose(loss(0.5 * mixture, target, mixture), quiet, rtol=0.02)


@pytest.mark.parametrize("loss", [error_level, spectral_error])
def test_gradients_are_finite_for_silence_and_for_the_truth(loss):
    silence = jnp.zeros((1, LENGTH))
    noise = jnp.asarray(np.random.default_rng(1).normal(size=(1, LENGTH)), jnp.float32)
    for estimate, target, mixture in ((silence, silence, silence), (noise, noise, noise)):
        gradient = jax.grad(lambda x, t=target, m=mixture: loss(x, t, m).sum())(estimate)
        assert np.all(np.isfinite(gradient))


def test_spectral_error_is_zero_for_the_truth_and_grows_with_the_error(sounds):
    target, mixture = sounds
    np.testing.assert_allclose(spectral_error(target, target, mixture), 0.0, atol=1e-6)
    near, far = (spectral_error(target + share * mixture, target, mixture) for share in (0.1, 1.0))
    assert np.all(near < far)


def test_presence_error_is_the_cross_entropy_of_the_log_odds():
    logit, present = jnp.asarray([0.0, 2.0, 2.0]), jnp.asarray([True, True, False])
    expected = -np.log([0.5, 1 / (1 + np.exp(-2)), 1 - 1 / (1 + np.exp(-2))])
    np.testing.assert_allclose(presence_error(logit, present), expected, rtol=1e-5)
