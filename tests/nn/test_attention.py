"""Attention in groups of heads (what a CPU does with long sequences) is attention; gradients too."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.nn.attention import attention_weights, dot_product_attention, weighted_values

BATCH, QUERIES, KEYS, HEADS, WIDTH = 2, 600, 700, 6, 4  # 420,000 weights a head: groups of 2


def _inputs():
    keys = jax.random.split(jax.random.key(0), 3)
    q = jax.random.normal(keys[0], (BATCH, QUERIES, HEADS, WIDTH))
    k, v = (jax.random.normal(key, (BATCH, KEYS, HEADS, WIDTH)) for key in keys[1:])
    return q, k, v


def _whole(q, k, v, mask, bias):
    return weighted_values(attention_weights(q, k, mask, bias), v)


def _mask(kind: str):
    shape = {
        "keys": (BATCH, 1, 1, KEYS),
        "all": (BATCH, HEADS, QUERIES, KEYS),
        "shared": (1, 1, QUERIES, KEYS),
    }
    if kind not in shape:
        return None
    return jax.random.bernoulli(jax.random.key(1), 0.7, shape[kind])


def _bias(kind: str):
    if kind != "heads":
        return None
    return jax.random.normal(jax.random.key(2), (1, HEADS, QUERIES, KEYS))


@pytest.mark.parametrize("kind", ["none", "keys", "all", "shared", "heads"])
def test_groups_equal_the_whole(kind):
    inputs = (*_inputs(), _mask(kind), _bias(kind))
    groups = jax.jit(dot_product_attention)
    assert "while" in groups.lower(*inputs).as_text()  # this is the loop, not the whole
    np.testing.assert_allclose(groups(*inputs), jax.jit(_whole)(*inputs), atol=2e-6)


def test_groups_have_the_same_gradient():
    mask, bias = _mask("keys"), _bias("heads")

    def gradient(attend):
        def loss(q, k, v, bias):
            return jnp.sum(jnp.sin(attend(q, k, v, mask, bias)))

        return jax.jit(jax.grad(loss, (0, 1, 2, 3)))(*_inputs(), bias)

    for got, want in zip(gradient(dot_product_attention), gradient(_whole), strict=True):
        np.testing.assert_allclose(got, want, atol=2e-6)


def test_rows_with_nothing_to_see_stay_finite():
    q, k, v = _inputs()
    out = dot_product_attention(q, k, v, jnp.zeros((BATCH, 1, 1, KEYS), bool))
    np.testing.assert_allclose(out[:, 0], v.mean(1), atol=1e-5)
