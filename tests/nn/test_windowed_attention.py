import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.nn.attention import dot_product_attention
from hsmtss_jax.nn.windowed_attention import (
    MultiWindowAttention,
    relative_positions,
    windowed_attention,
)
from hsmtss_jax.testing.jitted import Jitted


def test_equals_full_attention_with_a_block_mask_and_bias():
    q, k, v = jax.random.normal(jax.random.key(0), (3, 2, 16, 3, 8))
    table = jax.random.normal(jax.random.key(1), (3, 7))
    bias = table[:, relative_positions(4)]
    got = jax.jit(windowed_attention, static_argnums=4)(q, k, v, bias, 4)
    place = np.arange(16)
    same = place[:, None] // 4 == place[None, :] // 4
    distance = np.clip(place[:, None] - place[None, :], -3, 3) + 3
    want = jax.jit(dot_product_attention)(q, k, v, same[None, None], table[:, distance][None])
    np.testing.assert_allclose(got, want, atol=1e-5)


def test_heads_see_their_windows_only():
    module = Jitted(MultiWindowAttention((4, 0)))
    x = jax.random.normal(jax.random.key(0), (1, 8, 16))
    params = module.init(jax.random.key(1), x)["params"]
    params["out"]["kernel"] = jnp.eye(16)
    moved = module.apply({"params": params}, x.at[:, 5].add(1.0))
    change = jnp.abs(moved - module.apply({"params": params}, x))[0]
    assert jnp.all(change[:4, :8] == 0.0)  # head 0, first window
    assert jnp.all(jnp.max(change[4:, :8], axis=1) > 0.0)
    assert jnp.all(jnp.max(change[:, 8:], axis=1) > 0.0)  # head 1 sees all


def test_window_must_divide_the_sequence():
    with pytest.raises(ValueError, match="10 tokens"):
        MultiWindowAttention((4, 0)).init(jax.random.key(0), jnp.zeros((1, 10, 16)))
