"""The scanned stack: counts, cache = full forward, padding does not matter, weights are the last layer's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.nn.attention import KVCache
from hsmtss_jax.nn.positions import sincos_1d, sincos_2d
from hsmtss_jax.nn.transformer import TransformerConfig
from hsmtss_jax.testing.jitted import Jitted

CONFIG = TransformerConfig(width=16, depth=3, heads=4)


def _init(config: TransformerConfig, tokens: int = 5, **inputs):
    model = Jitted(config.make())
    x = jax.random.normal(jax.random.key(1), (2, tokens, config.width))
    return model, model.init(jax.random.key(0), x, **inputs), x


@pytest.mark.parametrize("cross", [False, True])
def test_parameter_count(cross):
    config = TransformerConfig(width=768, depth=6, heads=8, cross_attention=cross)
    x = jax.ShapeDtypeStruct((1, 4, 768), jnp.float32)
    context = {"context": x} if cross else {}
    tree = jax.eval_shape(config.make().init, jax.random.key(0), x, **context)
    count = sum(leaf.size for leaf in jax.tree.leaves(tree["params"]))
    layer = (16 * 768**2 + 19 * 768) if cross else (12 * 768**2 + 13 * 768)
    assert count == 6 * layer + 2 * 768


def test_cached_steps_equal_full_forward():
    model, variables, x = _init(CONFIG)
    causal = jnp.tril(jnp.ones((5, 5), bool))[None, None]
    full = model.apply(variables, x, mask=causal).x
    cache = jax.tree.map(lambda leaf: jnp.stack([leaf] * 3), KVCache.zeros(2, 5, 4, 4, jnp.float32))
    for t in range(5):
        mask = (jnp.arange(5) <= t)[None, None, None]
        out = model.apply(variables, x[:, t : t + 1], mask=mask, cache=cache)
        cache = out.cache
        np.testing.assert_allclose(out.x[:, 0], full[:, t], atol=1e-5)


def test_masked_tokens_do_not_matter():
    model, variables, x = _init(CONFIG)
    mask = jnp.array([True, True, True, False, False])[None, None, None]
    changed = x.at[:, 3:].set(1e3)
    a, b = (model.apply(variables, v, mask=mask).x[:, :3] for v in (x, changed))
    np.testing.assert_array_equal(a, b)


def test_weights_are_a_distribution_over_visible_keys():
    model, variables, x = _init(CONFIG)
    mask = jnp.array([True, True, True, False, False])[None, None, None]
    weights = model.apply(variables, x, mask=mask, return_weights=True).weights
    assert weights.shape == (2, 4, 5, 5)
    np.testing.assert_allclose(weights.sum(-1), 1.0, atol=1e-5)
    assert not weights[..., 3:].any()


def test_remat_gives_the_same_gradient():
    model, variables, x = _init(CONFIG)
    remat = Jitted(TransformerConfig(width=16, depth=3, heads=4, remat=True).make())
    grads = [
        jax.jit(jax.grad(lambda v, m=m: (m.apply(v, x).x ** 2).mean()))(variables)
        for m in (model, remat)
    ]
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), *grads)


def test_positions():
    code = sincos_2d(3, 2, 8)
    assert code.shape == (6, 8)
    np.testing.assert_array_equal(code[3, :4], sincos_1d(np.array([1]), 4)[0])  # f = 1
    np.testing.assert_array_equal(code[4, 4:], sincos_1d(np.array([2]), 4)[0])  # t = 2
    with pytest.raises(ValueError, match="divisible by 4"):
        sincos_2d(2, 2, 6)
