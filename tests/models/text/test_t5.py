"""What sets T5 apart: no scaling of the logits, one relative bias for all layers, RMSNorm."""

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.models.text.t5 import T5Layer, T5Stack, relative_buckets


def test_t5_attention_is_not_scaled():
    """With one layer and an identity-like value path, weights are softmax(q k^T), unscaled."""
    x = jax.random.normal(jax.random.key(3), (1, 5, 16))
    bias = jnp.zeros((1, 2, 5, 5))
    module, mask = T5Layer(2, 8, 32, 1e-6), jnp.ones((1, 1, 1, 5), bool)
    layer = jax.jit(module.init)(jax.random.key(0), x, mask, bias)["params"]
    out, _ = jax.jit(module.apply)({"params": layer}, x, mask, bias)
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


def test_all_layers_share_one_table_of_biases():
    stack = T5Stack(depth=3, heads=2, head_dim=4, mlp=8, buckets=6)
    inputs = jax.ShapeDtypeStruct((1, 5, 8), jnp.float32), jax.ShapeDtypeStruct((1, 5), jnp.bool_)
    params = jax.eval_shape(stack.init, jax.random.key(0), *inputs)["params"]
    assert params["relative_bias"]["embedding"].shape == (6, 2)
    assert params["layers"]["query"]["kernel"].shape == (3, 8, 8)
    assert not [path for path, _ in jax.tree.leaves_with_path(params) if path[-1].key == "bias"]
