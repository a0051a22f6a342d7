"""The global separator: size, read-out, padding and gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.models.global_separator import GlobalSeparatorConfig
from hsmtss_jax.testing.jitted import Jitted
from tests.models.separator_inputs import GLOBAL_WIDTH, condition, count

TINY = GlobalSeparatorConfig(
    width=32, depth=2, heads=4, global_width=GLOBAL_WIDTH, max_text=8, max_task=3
)


@pytest.fixture(scope="module")
def model() -> tuple[Jitted, dict, jax.Array]:
    module = Jitted(TINY.make())
    g_mix = jax.random.normal(jax.random.key(1), (2, 1, GLOBAL_WIDTH))
    variables = module.init(jax.random.key(2), g_mix, **condition())
    return module, variables, g_mix


def test_paper_size_has_the_papers_body():
    cfg = GlobalSeparatorConfig()
    text, task = jnp.ones((1, 65), bool), jnp.ones((1, 1), bool)
    params = jax.eval_shape(
        lambda key: cfg.make().init(
            key, jnp.ones((1, 1, 768)), jnp.ones((1, 65, 768)), text, jnp.ones((1, 1, 768)), task
        ),
        jax.random.key(0),
    )["params"]
    assert count(params["transformer"]) == 42_528_768  # 6 (12 d^2 + 13 d) + 2 d
    streams = 3 * (2 * 768 + 768 * 768 + 768 + 768) + (65 + 4) * 768
    assert count(params) == 42_528_768 + streams + (768 * 768 + 768)


def test_output_is_one_float32_global_feature(model):
    module, variables, g_mix = model
    out = module.apply(variables, g_mix, **condition())
    assert out.shape == (2, 1, GLOBAL_WIDTH)
    low = Jitted(TINY.make(jnp.bfloat16)).apply(variables, g_mix, **condition())
    assert low.dtype == out.dtype == jnp.float32
    np.testing.assert_allclose(low, out, atol=0.05)


def test_padding_is_never_seen(model):
    module, variables, g_mix = model
    inputs = condition()
    expected = module.apply(variables, g_mix, **inputs)
    broken = dict(inputs)
    for name in ("t_cap", "t_task"):
        broken[name] = jnp.where(inputs[f"{name}_mask"][:, :, None], inputs[name], jnp.nan)
    np.testing.assert_allclose(module.apply(variables, g_mix, **broken), expected, atol=1e-6)
    longer = {
        name: jnp.pad(x, ((0, 0), (0, 1)) + ((0, 0),) * (x.ndim - 2)) for name, x in inputs.items()
    }
    np.testing.assert_allclose(module.apply(variables, g_mix, **longer), expected, atol=1e-6)


def test_every_input_matters(model):
    module, variables, g_mix = model
    inputs = condition()
    expected = module.apply(variables, g_mix, **inputs)
    assert np.abs(module.apply(variables, -g_mix, **inputs) - expected).max() > 1e-4
    for name in ("t_cap", "t_task"):
        changed = module.apply(variables, g_mix, **{**inputs, name: -inputs[name]})
        assert np.abs(changed - expected).max() > 1e-4, name


def test_order_of_the_caption_matters(model):
    module, variables, g_mix = model
    inputs = condition()
    inputs["t_cap_mask"] = jnp.ones_like(inputs["t_cap_mask"])
    flipped = {**inputs, "t_cap": inputs["t_cap"][:, ::-1]}
    difference = module.apply(variables, g_mix, **inputs) - module.apply(
        variables, g_mix, **flipped
    )
    assert np.abs(difference).max() > 1e-5


def test_dropout_only_in_training(model):
    module, variables, g_mix = model
    rngs = [{"dropout": jax.random.key(i)} for i in (1, 2)]
    a, b = (module.apply(variables, g_mix, **condition(), train=True, rngs=r) for r in rngs)
    assert np.abs(a - b).max() > 1e-4


def test_too_long_a_caption_is_refused(model):
    module, variables, g_mix = model
    inputs = condition()
    inputs["t_cap"], inputs["t_cap_mask"] = jnp.ones((2, 9, GLOBAL_WIDTH)), jnp.ones((2, 9), bool)
    with pytest.raises(ValueError, match="9 tokens"):
        module.apply(variables, g_mix, **inputs)


def test_gradient_reaches_every_parameter(model):
    module, variables, g_mix = model
    inputs = condition()
    loss = lambda v: jnp.sum(module.apply(v, g_mix, **inputs) ** 2)  # noqa: E731
    grads = jax.jit(jax.grad(loss))(variables)
    for path, grad in jax.tree_util.tree_leaves_with_path(grads):
        name = jax.tree_util.keystr(path)
        if "'key']['bias'" not in name:  # a constant added to all logits of a row changes nothing
            assert np.abs(grad).max() > 0, name
