"""HEAR's classifier: its layers, and what training moves."""

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.models.probe import ProbeConfig

MODULE = ProbeConfig(classes=3, hidden=8, dropout=0.5).make()
X = jax.random.normal(jax.random.key(0), (6, 5)) * 4 + 2


def test_one_hidden_layer_with_a_norm():
    variables = jax.eval_shape(MODULE.init, jax.random.key(0), X)
    shapes = jax.tree.map(jnp.shape, variables["params"])
    assert shapes["hidden"]["kernel"] == (5, 8) and shapes["classify"]["kernel"] == (8, 3)
    assert set(variables) == {"params", "batch_stats"} and set(shapes["norm"]) == {"scale", "bias"}


def test_rows_are_independent_but_for_training():
    variables = jax.jit(MODULE.init)(jax.random.key(0), X)
    apply = jax.jit(MODULE.apply)
    logits = apply(variables, X)
    assert logits.shape == (6, 3) and logits.dtype == jnp.float32
    np.testing.assert_allclose(apply(variables, X[:2]), logits[:2], atol=1e-5)

    @jax.jit
    def train(x, key):
        rngs = {"dropout": key}
        return MODULE.apply(variables, x, train=True, rngs=rngs, mutable=["batch_stats"])

    first, moved = train(X, jax.random.key(1))
    other, _ = train(X, jax.random.key(2))
    assert np.abs(first - other).max() > 1e-3, "dropout is on"
    mean = moved["batch_stats"]["norm"]["mean"]
    assert np.abs(mean - variables["batch_stats"]["norm"]["mean"]).max() > 0
