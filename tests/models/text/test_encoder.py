"""Shapes, sizes, padding invariance of the two text encoders."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.models.text import encoder as text_encoder

KINDS = ("t5", "bert")


def _count(config):
    spec = jax.ShapeDtypeStruct((1, 4), jnp.int32), jax.ShapeDtypeStruct((1, 4), jnp.bool_)
    tree = jax.eval_shape(config.make().init, jax.random.key(0), *spec)
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


@functools.cache
def _init(kind):
    module = text_encoder.tiny(kind).make()
    ids = jax.random.randint(jax.random.key(1), (3, 9), 1, 64)
    mask = jnp.arange(9)[None] < jnp.array([[9], [5], [1]])
    return module, ids, mask, jax.jit(module.init)(jax.random.key(0), ids, mask)


@functools.cache
def _forward(kind):
    module, _, _, variables = _init(kind)
    return functools.partial(jax.jit(module.apply), variables)


def test_flan_t5_base_size():
    assert _count(text_encoder.flan_t5_base()) == 109_628_544


def test_minilm_size():
    assert _count(text_encoder.minilm_l6()) == 22_565_376


@pytest.mark.parametrize("kind", KINDS)
def test_table_path_and_embed(kind):
    module, ids, mask, variables = _init(kind)
    table = variables["params"]["embedding"]["embedding"]
    assert table.shape == (64, 16)
    rows = module.apply(variables, ids, method="embed")
    np.testing.assert_array_equal(rows, table[ids])
    assert _forward(kind)(ids, mask).shape == (3, 9, 16)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_does_not_reach_tokens(kind):
    _, ids, mask, _ = _init(kind)
    full = _forward(kind)(ids, mask)
    other = _forward(kind)(jnp.where(mask, ids, 7), mask)
    np.testing.assert_allclose(full[mask], other[mask], atol=1e-6)
    short = _forward(kind)(ids[1:2, :5], mask[1:2, :5])
    np.testing.assert_allclose(full[1:2, :5], short, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_order_matters(kind):
    _, ids, mask, _ = _init(kind)
    mask = jnp.ones_like(mask)
    full, flipped = _forward(kind)(ids, mask), _forward(kind)(ids[:, ::-1], mask)
    assert not np.allclose(full, flipped[:, ::-1], atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_bfloat16_is_close(kind):
    module, ids, mask, variables = _init(kind)
    full = _forward(kind)(ids, mask)
    half = jax.jit(module.clone(dtype=jnp.bfloat16).apply)(variables, ids, mask)
    assert half.dtype == jnp.bfloat16
    np.testing.assert_allclose(full[mask], half[mask].astype(jnp.float32), atol=0.1)


def test_unknown_kind():
    config = text_encoder.TextEncoderConfig(kind="gpt")
    with pytest.raises(ValueError, match="unknown text encoder kind"):
        config.make().init(jax.random.key(0), jnp.zeros((1, 2), jnp.int32), jnp.ones((1, 2), bool))
