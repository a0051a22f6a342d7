"""What sets BERT apart: norms behind the blocks, learnt positions, one segment."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.models.text import encoder as text_encoder
from hsmtss_jax.models.text.bert import BertLayer, BertStack


def test_a_layer_ends_in_its_norm():
    layer = BertLayer(heads=2, mlp=8, norm_eps=1e-12)
    x, mask = jax.random.normal(jax.random.key(0), (2, 5, 8)), jnp.ones((2, 1, 1, 5), bool)
    (out, _), _ = jax.jit(layer.init_with_output)(jax.random.key(1), 3.0 * x, mask)
    np.testing.assert_allclose(out.mean(axis=-1), 0.0, atol=1e-5)
    np.testing.assert_allclose(out.std(axis=-1), 1.0, atol=1e-4)


def test_one_segment_is_ever_used():
    stack = BertStack(depth=1, heads=2, mlp=8, max_positions=6)
    x, mask = jax.random.normal(jax.random.key(0), (1, 5, 8)), jnp.ones((1, 5), bool)
    out, variables = jax.jit(stack.init_with_output)(jax.random.key(1), x, mask)
    table = variables["params"]["segment"]["embedding"]
    variables["params"]["segment"]["embedding"] = table.at[1].set(jnp.nan)
    np.testing.assert_allclose(jax.jit(stack.apply)(variables, x, mask), out, atol=1e-6)
    assert table.shape == (2, 8) and variables["params"]["position"]["embedding"].shape == (6, 8)


def test_too_many_tokens():
    module = text_encoder.tiny("bert").make()
    with pytest.raises(ValueError, match="33 tokens"):
        module.init(jax.random.key(0), jnp.zeros((1, 33), jnp.int32), jnp.ones((1, 33), bool))
