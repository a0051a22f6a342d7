"""Adversarial losses on known values."""

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.losses.adversarial import (
    discriminator_loss,
    feature_matching_loss,
    generator_loss,
)


def _scores(*values: float) -> list[jax.Array]:
    return [jnp.full((2, 3, index + 1), value) for index, value in enumerate(values)]


def test_least_squares_values():
    np.testing.assert_allclose(generator_loss(_scores(1.0, 0.0)), 0.5)
    np.testing.assert_allclose(discriminator_loss(_scores(1.0, 1.0), _scores(0.0, 0.0)), 0.0)
    np.testing.assert_allclose(discriminator_loss(_scores(0.0, 0.0), _scores(1.0, 3.0)), 6.0)


def test_feature_matching_averages_layers_then_branches_and_fixes_the_real_side():
    real = [[jnp.zeros((1, 2, 2, 1)), jnp.zeros((1, 2, 2, 1))], [jnp.zeros((1, 2, 2, 1))]]
    fake = [[jnp.ones((1, 2, 2, 1)), 3.0 * jnp.ones((1, 2, 2, 1))], [jnp.ones((1, 2, 2, 1))]]
    np.testing.assert_allclose(feature_matching_loss(real, fake), 1.5)
    into_real = jax.grad(feature_matching_loss, argnums=0)(real, fake)
    assert all(float(jnp.abs(g).max()) == 0.0 for g in jax.tree.leaves(into_real))
