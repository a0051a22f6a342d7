"""The local separator: size, read-out, padding, attention weights and flags."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.models.local_separator import LocalSeparatorConfig
from hsmtss_jax.testing.jitted import Jitted
from tests.models.separator_inputs import (
    AUDIO_WIDTH,
    GLOBAL_WIDTH,
    TASK,
    TEXT,
    condition,
    count,
)

TINY = LocalSeparatorConfig(
    width=32,
    depth=2,
    heads=4,
    audio_width=AUDIO_WIDTH,
    time_patches=3,
    freq_patches=4,
    max_text=8,
    max_task=3,
)


@pytest.fixture(scope="module")
def inputs() -> dict[str, jax.Array]:
    keys = jax.random.split(jax.random.key(1), 2)
    return {
        "s_mix": jax.random.normal(keys[0], (2, TINY.patches, AUDIO_WIDTH)),
        "g": jax.random.normal(keys[1], (2, 1, GLOBAL_WIDTH)),
        **condition(),
    }


@pytest.fixture(scope="module")
def model(inputs) -> tuple[Jitted, dict]:
    module = Jitted(TINY.make())
    return module, module.init(jax.random.key(2), **inputs)


def test_paper_size_has_the_papers_body():
    cfg = LocalSeparatorConfig()
    x, text, task = jnp.ones((1, 512, 768)), jnp.ones((1, 65), bool), jnp.ones((1, 1), bool)
    params = jax.eval_shape(
        lambda key: cfg.make().init(key, x, x[:, :1], x[:, :65], text, x[:, :1], task),
        jax.random.key(0),
    )["params"]
    assert count(params["transformer"]) == 85_056_000  # 12 (12 d^2 + 13 d) + 2 d
    assert count(params["transformer"]) + count(params["out"]) == 85_646_592
    streams = 4 * (2 * 768 + 768 * 768 + 768 + 768) + (65 + 4) * 768
    assert count(params) == 85_646_592 + streams


def test_output_is_one_float32_feature_a_patch(model, inputs):
    module, variables = model
    out = module.apply(variables, **inputs)
    assert out.s_hat.shape == inputs["s_mix"].shape and out.attention is None
    low = Jitted(TINY.make(jnp.bfloat16)).apply(variables, **inputs)
    assert low.s_hat.dtype == out.s_hat.dtype == jnp.float32
    np.testing.assert_allclose(low.s_hat, out.s_hat, atol=0.05)


def test_padding_is_never_seen(model, inputs):
    module, variables = model
    expected = module.apply(variables, **inputs).s_hat
    broken, longer = dict(inputs), dict(inputs)
    for name in ("t_cap", "t_task"):
        mask = inputs[f"{name}_mask"]
        broken[name] = jnp.where(mask[:, :, None], inputs[name], jnp.nan)
        longer[name] = jnp.pad(inputs[name], ((0, 0), (0, 1), (0, 0)))
        longer[f"{name}_mask"] = jnp.pad(mask, ((0, 0), (0, 1)))
    for other in (broken, longer):
        np.testing.assert_allclose(module.apply(variables, **other).s_hat, expected, atol=1e-6)


def test_every_input_matters(model, inputs):
    module, variables = model
    expected = module.apply(variables, **inputs).s_hat
    for name in ("s_mix", "g", "t_cap", "t_task"):
        changed = module.apply(variables, **{**inputs, name: -inputs[name]}).s_hat
        assert np.abs(changed - expected).max() > 1e-4, name


def test_patches_know_their_place(model, inputs):
    """Without position codes, flipping the patches would flip the output."""
    module, variables = model
    straight = module.apply(variables, **inputs).s_hat
    flipped = module.apply(variables, **{**inputs, "s_mix": inputs["s_mix"][:, ::-1]}).s_hat
    assert np.abs(flipped[:, ::-1] - straight).max() > 1e-3


def test_attention_of_the_last_layer(model, inputs):
    module, variables = model
    out = module.apply(variables, **inputs, return_attention=True)
    n = TASK + TEXT + 1 + TINY.patches
    assert out.attention.shape == (2, TINY.heads, n, n)
    np.testing.assert_allclose(out.attention.sum(-1), np.ones((2, TINY.heads, n)), rtol=1e-5)
    padded = np.concatenate([inputs["t_task_mask"], inputs["t_cap_mask"]], axis=1)
    assert np.all(np.asarray(out.attention)[1][:, :, : TASK + TEXT][:, :, ~padded[1]] == 0)
    assert out.global_attention().shape == (2, TINY.heads, TINY.patches)
    np.testing.assert_array_equal(
        out.global_attention(), out.attention[:, :, TASK + TEXT, TASK + TEXT + 1 :]
    )
    np.testing.assert_allclose(out.s_hat, module.apply(variables, **inputs).s_hat, atol=1e-6)


def test_attention_is_the_last_layers(model, inputs):
    """A change of the last layer's query weights moves it; the first layer's keep their stack slot."""
    module, variables = model
    expected = module.apply(variables, **inputs, return_attention=True).attention
    kernel = variables["params"]["transformer"]["blocks"]["attention"]["query"]["kernel"]
    scaled = jax.tree.map(lambda x: x, variables)
    scaled["params"]["transformer"]["blocks"]["attention"]["query"]["kernel"] = kernel.at[-1].set(0)
    scaled["params"]["transformer"]["blocks"]["attention"]["query"]["bias"] = jnp.zeros(
        (TINY.depth, TINY.heads * (TINY.width // TINY.heads))
    )
    uniform = module.apply(scaled, **inputs, return_attention=True).attention[0]
    np.testing.assert_allclose(uniform, np.full_like(uniform, 1 / uniform.shape[-1]), rtol=1e-5)
    assert np.abs(expected[0] - uniform).max() > 1e-5


def test_asking_for_attention_that_was_not_kept(model, inputs):
    module, variables = model
    with pytest.raises(ValueError, match="return_attention"):
        module.apply(variables, **inputs).global_attention()


def test_residual_adds_the_mixture(model, inputs):
    module, variables = model
    residual = Jitted(dataclasses.replace(TINY, residual=True).make())
    expected = module.apply(variables, **inputs).s_hat + inputs["s_mix"]
    np.testing.assert_allclose(residual.apply(variables, **inputs).s_hat, expected, atol=1e-6)


def test_standardised_features_come_back_in_their_own_units(model, inputs):
    module, variables = model
    mean, std = jnp.arange(AUDIO_WIDTH) * 1.0, 2.0 + jnp.arange(AUDIO_WIDTH)
    statistics = {"standardiser": {"mean": mean, "std": std}}
    known = {"params": {**variables["params"], **statistics}}
    flagged = Jitted(dataclasses.replace(TINY, standardise=True).make())
    shifted = {**inputs, "s_mix": inputs["s_mix"] * std[None, None] + mean[None, None]}
    expected = module.apply(variables, **inputs).s_hat * std[None, None] + mean[None, None]
    np.testing.assert_allclose(flagged.apply(known, **shifted).s_hat, expected, atol=1e-3)


def test_the_global_token_can_be_left_out(inputs):
    module = Jitted(TINY.make())
    without = {**inputs, "g": None}
    variables = module.init(jax.random.key(2), **without)
    assert "global" not in variables["params"]
    assert module.apply(variables, **without).s_hat.shape == inputs["s_mix"].shape


def test_a_wrong_number_of_patches_is_refused(model, inputs):
    module, variables = model
    with pytest.raises(ValueError, match="12"):
        module.apply(variables, **{**inputs, "s_mix": inputs["s_mix"][:, :5]})
