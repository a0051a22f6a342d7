"""Shapes, sizes, padding invariance of the two text encoders; T5 details."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.models.text import encoder as text_encoder
from hsmtss_jax.models.text.t5 import T5Layer, relative_buckets

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


def test_t5_attention_is_not_scaled():
    """With one layer and an identity-like value path, weights are softmax(q k^T), unscaled."""
    variables = _init("t5")[-1]
    layer = jax.tree.map(lambda leaf: leaf[0], variables["params"]["stack"]["layers"])
    x = jax.random.normal(jax.random.key(3), (1, 5, 16))
    bias = jnp.zeros((1, 2, 5, 5))
    out, _ = T5Layer(2, 8, 32, 1e-6).apply({"params": layer}, x, jnp.ones((1, 1, 1, 5), bool), bias)
    y = np.asarray(x / np.sqrt(np.mean(np.square(x), -1, keepdims=True) + 1e-6), np.float64)
    q, k, v = (
        (y @ np.asarray(layer[n]["kernel"], np.float64)).reshape(1, 5, 2, 8)
        for n in ("query", "key", "value")
    )
    logits = np.einsum("bnhe,bmhe->bhnm", q, k)
    weights = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    attended = np.einsum("bhnm,bmhe->bnhe", weights, v).reshape(1, 5, 16)
    h = np.asarray(x) + attended @ np.asarray(layer["out"]["kernel"])
    z = h / np.sqrt(np.mean(np.square(h), -1, keepdims=True) + 1e-6)
    gate = np.asarray(jax.nn.gelu(jnp.asarray(z @ np.asarray(layer["gate"]["kernel"]))))
    expected = h + (gate * (z @ np.asarray(layer["up"]["kernel"]))) @ np.asarray(
        layer["down"]["kernel"]
    )
    np.testing.assert_allclose(out, expected, atol=1e-4)


def test_relative_buckets():
    buckets = relative_buckets(200, 32, 128)
    assert buckets[0, 0] == 0
    assert buckets[3, 0] == 3 and buckets[0, 3] == 16 + 3  # key after query: upper half
    assert buckets[8, 0] == 8 and buckets[199, 0] == 15 and buckets[0, 199] == 31
    assert np.all(np.diff(buckets[:, 0]) >= 0)


def test_unknown_kind():
    config = text_encoder.TextEncoderConfig(kind="gpt")
    with pytest.raises(ValueError, match="unknown text encoder kind"):
        config.make().init(jax.random.key(0), jnp.zeros((1, 2), jnp.int32), jnp.ones((1, 2), bool))


def test_too_many_tokens():
    module = text_encoder.tiny("bert").make()
    with pytest.raises(ValueError, match="33 tokens"):
        module.init(jax.random.key(0), jnp.zeros((1, 33), jnp.int32), jnp.ones((1, 33), bool))
