"""ATG on cases that can be worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.losses.captioning import atg_loss

generation = jax.jit(atg_loss)


def test_atg_of_uniform_logits_is_log_v_and_padding_is_ignored():
    targets, mask = jnp.array([[1, 2, 0]]), jnp.array([[True, True, False]])
    np.testing.assert_allclose(
        generation(jnp.zeros((1, 3, 5)), targets, mask), np.log(5), rtol=1e-6
    )
    wild = jnp.zeros((1, 3, 5)).at[0, 2].set(jnp.array([0.0, 9.0, 0.0, 0.0, 0.0]))
    np.testing.assert_allclose(generation(wild, targets, mask), np.log(5), rtol=1e-6)
    assert generation(jnp.zeros((1, 3, 5)), targets, jnp.zeros((1, 3), bool))[0] == 0.0


def test_smoothing_rewards_a_hedge_and_gradients_are_finite():
    targets, mask = jnp.array([[1, 0]]), jnp.array([[True, False]])
    sure = jnp.zeros((1, 2, 5)).at[0, 0, 1].set(60.0)
    assert generation(sure, targets, mask)[0] > generation(sure / 12, targets, mask)[0]
    assert jnp.isfinite(jax.grad(lambda x: generation(x, targets, mask)[0])(sure)).all()
