import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.nn.attention import MultiHeadAttention
from hsmtss_jax.nn.few_query_attention import FewQueryAttention
from hsmtss_jax.testing.jitted import Jitted


def test_equals_multi_head_attention_with_the_same_parameters():
    x = jax.random.normal(jax.random.key(0), (2, 3, 16))
    tokens = jax.random.normal(jax.random.key(1), (2, 10, 12))
    few, many = Jitted(FewQueryAttention(heads=4)), Jitted(MultiHeadAttention(heads=4))
    shapes = jax.eval_shape(many.init, jax.random.key(2), x, tokens)
    assert jax.eval_shape(few.init, jax.random.key(2), x, tokens) == shapes
    leaves, tree = jax.tree.flatten(shapes)
    keys = jax.random.split(jax.random.key(3), len(leaves))
    params = tree.unflatten(
        [jax.random.normal(key, leaf.shape) for key, leaf in zip(keys, leaves, strict=True)]
    )

    def loss(params, module):
        out = module.apply(params, x, tokens)
        return jnp.sum(jnp.sin(getattr(out, "out", out)))

    np.testing.assert_allclose(
        few.apply(params, x, tokens), many.apply(params, x, tokens).out, rtol=1e-4, atol=1e-4
    )
    grad = jax.jit(jax.grad(loss), static_argnums=1)
    for a, b in zip(
        jax.tree.leaves(grad(params, few)), jax.tree.leaves(grad(params, many)), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3)
