import dataclasses
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.models.audio_mae import AudioMAEConfig, Encoder, random_masking
from hsmtss_jax.nn.patches import patchify, unpatchify
from hsmtss_jax.nn.transformer import Transformer

SMALL = AudioMAEConfig(
    frames=64,
    width=32,
    depth=2,
    heads=2,
    decoder_width=16,
    decoder_depth=2,
    decoder_windows=(4, 0),
)


def _count(tree):
    return sum(np.prod(leaf.shape, dtype=int) for leaf in jax.tree.leaves(tree))


def _shapes(config):
    x = jnp.zeros((1, config.frames, config.n_mels))
    return jax.eval_shape(config.make().init, jax.random.key(0), x, jax.random.key(0))["params"]


@pytest.mark.parametrize(("cls_token", "count"), [(False, 85_253_376), (True, 85_254_144)])
def test_parameter_counts_of_the_paper_size(cls_token, count):
    params = _shapes(AudioMAEConfig(cls_token=cls_token))
    assert _count(params["encoder"]) == count
    assert _count(params["decoder"]) == 7_494_856


@pytest.mark.parametrize(("cls_token", "tokens"), [(False, 102), (True, 103)])
def test_only_the_kept_patches_go_through_the_encoder(cls_token, tokens):
    config = AudioMAEConfig(cls_token=cls_token)
    assert (config.patches, config.kept) == (512, 102)
    seen = []

    def record(call, args, kwargs, context):
        if isinstance(context.module, Transformer):
            seen.append(args[0].shape)
        return call(*args, **kwargs)

    x = jnp.zeros((2, config.frames, config.n_mels))
    with nn.intercept_methods(record):
        jax.eval_shape(config.make().init, jax.random.key(0), x, jax.random.key(0))
    assert seen == [(2, tokens, 768)]


def test_masking_is_a_permutation_and_keeps_k():
    masking = random_masking(jax.random.key(0), 3, 20, 4)
    np.testing.assert_array_equal(np.sum(masking.mask, axis=1), 16)
    np.testing.assert_array_equal(np.sort(masking.restore, axis=1), np.tile(np.arange(20), (3, 1)))
    visible = np.take_along_axis(np.asarray(masking.mask), np.asarray(masking.kept), axis=1)
    np.testing.assert_array_equal(visible, 0.0)
    assert not np.array_equal(masking.kept[0], masking.kept[1])


@pytest.fixture(scope="module")
def small():
    module = SMALL.make()
    x = jax.random.normal(jax.random.key(0), (2, 64, 128))
    return module, jax.jit(module.init)(jax.random.key(1), x, jax.random.key(2))["params"], x


@pytest.mark.parametrize("cls_token", [False, True])
def test_encode_needs_the_encoder_alone(cls_token):
    module = dataclasses.replace(SMALL, cls_token=cls_token).make()
    x = jnp.zeros((2, 64, 128))
    params = jax.eval_shape(module.init, jax.random.key(1), x, jax.random.key(2))["params"]
    encode = functools.partial(module.apply, method="encode")
    s = jax.eval_shape(encode, {"params": {"encoder": params["encoder"]}}, x)
    assert s.shape == (2, 32, 32)


def test_prediction_does_not_depend_on_hidden_patches(small):
    module, params, x = small
    apply = jax.jit(module.apply)
    out = apply({"params": params}, x, jax.random.key(3))
    assert out.prediction.shape == (2, 32, 256)
    noise = jax.random.normal(jax.random.key(4), out.target.shape) * out.mask[:, :, None]
    moved = apply({"params": params}, x + unpatchify(noise, 16, 8), jax.random.key(3))
    np.testing.assert_allclose(out.prediction, moved.prediction, atol=1e-5)
    np.testing.assert_array_equal(out.target, patchify(x, 16))


def test_order_of_kept_tokens_does_not_matter(small):
    _, params, x = small
    encode = jax.jit(Encoder(SMALL).apply)
    patches = patchify(x, 16)
    kept = jnp.array([[1, 5, 9], [0, 30, 2]])
    a = encode({"params": params["encoder"]}, patches, kept)
    b = encode({"params": params["encoder"]}, patches, kept[:, ::-1])
    np.testing.assert_allclose(a, b[:, ::-1], atol=1e-5)
    everything = jnp.tile(jnp.arange(32)[None], (2, 1))
    np.testing.assert_allclose(
        encode({"params": params["encoder"]}, patches, everything),
        encode({"params": params["encoder"]}, patches),
        atol=1e-5,
    )


def test_wrong_input_names_the_expected_shape(small):
    module, params, _ = small
    with pytest.raises(ValueError, match=r"\[B, 64, 128\]"):
        module.apply({"params": params}, jnp.zeros((1, 32, 128)), method="encode")


def test_a_position_table_stands_for_the_computed_positions():
    computed = dataclasses.replace(SMALL, cls_token=True)
    stored = dataclasses.replace(computed, position_table=True)
    patches = jax.random.normal(jax.random.key(0), (1, SMALL.patches, SMALL.patch**2))
    kept = jnp.asarray([[3, 0, 7]])
    params = jax.jit(Encoder(stored).init)(jax.random.key(1), patches)["params"]
    assert params["pos"].shape == (1, SMALL.patches + 1, SMALL.width)
    plain = {name: leaf for name, leaf in params.items() if name != "pos"}

    @functools.partial(jax.jit, static_argnums=0)
    def encode(config, params, kept=None):
        return Encoder(config).apply({"params": params}, patches, kept)

    for rows in (None, kept):
        np.testing.assert_allclose(
            encode(stored, params, rows), encode(computed, plain, rows), atol=1e-5
        )
    moved = params | {"pos": params["pos"].at[:, 0].add(1.0)}  # the CLS token's own row counts
    assert np.abs(encode(stored, moved) - encode(stored, params)).max() > 1e-4
    gradient = jax.jit(jax.grad(lambda p: jnp.sum(encode(stored, p) ** 2)))(params)
    assert not np.any(gradient["pos"])
