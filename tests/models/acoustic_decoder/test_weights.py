"""Decode weights are the trained ones, laid out for the step: every form computes the same."""

import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.models.acoustic_decoder.weights import (
    ATTENTION_FORMS,
    FORMS,
    default_attention,
    default_form,
    prepare_decode,
    product,
)
from tests.models.acoustic_decoder.tiny import setup, stepwise


@pytest.mark.parametrize("form", FORMS)
def test_a_product_is_the_dense_layer_s(form):
    rng = np.random.default_rng(0)
    kernel, x = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))  # [in, out], [in, N]
    weight = jnp.asarray(kernel if form == "in_out" else kernel.T, jnp.float32)
    found = product(weight, jnp.asarray(x, jnp.float32), form)
    np.testing.assert_allclose(found, kernel.T @ x, rtol=1e-5)
    half = product(weight.astype(jnp.bfloat16), jnp.asarray(x, jnp.bfloat16), form, jnp.float32)
    assert half.dtype == jnp.float32


def test_layers_are_unrolled_and_of_the_asked_type():
    config, params, *_ = setup("cross")
    weights = prepare_decode(config, params, jnp.bfloat16)
    assert (weights.form, weights.attention) == (default_form(), default_attention())
    assert len(weights.layers) == config.depth
    assert weights.embedding.shape == (config.groups * (config.codes + 1), config.width)
    assert weights.heads.weight.dtype == weights.layers[0].cross.kv.weight.dtype == jnp.bfloat16
    assert weights.layers[0].qkv.weight.shape == (3 * config.width, config.width)
    assert prepare_decode(config, setup("prefix")[1]).layers[0].cross is None


@pytest.mark.parametrize(("form", "attention"), [("out_in", "products"), ("in_out", "sums")])
def test_the_form_of_the_contractions_does_not_matter(form, attention):
    assert form in FORMS and attention in ATTENTION_FORMS
    config, params, patches, tokens, forward = setup("prefix")
    everything = jnp.ones((2, config.patches), bool)
    steps = stepwise(config, params, patches, tokens, everything, form, attention)
    np.testing.assert_allclose(steps, forward(patches, tokens), atol=1e-4)
