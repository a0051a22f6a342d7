"""The products of a step alone: every form computes the same, and none is left out."""

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.speed.bare_products import bare_loop, stack_layers, stacked_loop
from hsmtss_jax.speed.decoder import random_weights
from tests.models.acoustic_decoder.tiny import TINY


def test_the_bare_loops_of_both_kinds_compute_the_same():
    weights = random_weights(TINY, jnp.float32, "batch_last")
    x = jnp.ones((32, 2))
    unrolled = jax.jit(bare_loop(3))(weights, x)
    stacked = jax.jit(stacked_loop(3))(stack_layers(weights), x)
    other = jax.jit(bare_loop(3))(random_weights(TINY, jnp.float32, "in_out"), x)
    np.testing.assert_allclose(unrolled, stacked, rtol=1e-6)
    np.testing.assert_allclose(unrolled, other, rtol=1e-6)


def test_every_weight_takes_part():
    weights = random_weights(TINY, jnp.float32, "batch_last")
    loop, x = bare_loop(2), jnp.ones((32, 2))
    gradient = jax.jit(jax.grad(lambda w: jnp.sum(loop(w, x))))(weights)
    for layer in gradient.layers:
        for linear in (layer.qkv, layer.out, layer.up, layer.down):
            assert jnp.abs(linear.weight).max() > 0
    assert jnp.abs(gradient.heads.weight).max() > 0
