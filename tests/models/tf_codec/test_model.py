"""TF-Codec: sizes, shapes, the STFT ends, causality, gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.models.tf_codec.model import TFCodecConfig, analyse, synthesise

TINY = TFCodecConfig(channels=(4, 8, 8, 8), tcm_hidden=16, latent=32, groups=4, codes=16)


@pytest.fixture(scope="module")
def codec():
    """(module, variables, audio [2, 2000])."""
    model = TINY.make()
    audio = jax.random.normal(jax.random.key(0), (2, 2_000)) * 0.1
    return model, jax.jit(model.init)(jax.random.key(1), audio), audio


@pytest.fixture(scope="module")
def encode(codec):
    """Audio -> tokens, compiled."""
    model, variables, _ = codec
    return jax.jit(lambda x: model.apply(variables, x, method="encode"))


@pytest.fixture(scope="module")
def decode(codec):
    """Tokens -> 2000 samples, compiled."""
    model, variables, _ = codec
    return jax.jit(lambda t: model.apply(variables, t, 2_000, method="decode"))


def test_paper_size_and_token_shape():
    model = TFCodecConfig().make()
    audio = jax.ShapeDtypeStruct((1, 48_000), jnp.float32)
    variables = jax.eval_shape(lambda k, x: model.init(k, x), jax.random.key(0), audio)
    assert sum(leaf.size for leaf in jax.tree.leaves(variables["params"])) == 7_628_428
    tokens = jax.eval_shape(lambda v, x: model.apply(v, x, method="encode"), variables, audio)
    assert tokens.shape == (1, 151, 16) and tokens.dtype == jnp.int32
    decoded = jax.eval_shape(
        lambda v, t: model.apply(v, t, 48_000, method="decode"), variables, tokens
    )
    assert decoded.shape == (1, 48_000)


@pytest.mark.parametrize(
    ("samples", "frames"), [(160_000, 501), (48_000, 151), (40_960, 129), (163_840, 513), (1, 1)]
)
def test_token_frames(samples, frames):
    assert TFCodecConfig().token_frames(samples) == frames


def test_padding_fills_whole_token_frames():
    assert TFCodecConfig().padded_samples(160_000) == 160_240


def test_stft_ends_invert_each_other():
    audio = jax.random.normal(jax.random.key(0), (1, 8_000)) * 0.1
    back = jax.jit(lambda x: synthesise(analyse(x, TINY), TINY)[:, :8_000])(audio)
    # The constant window sum is short of one frame in the first hop, in the reference project too.
    signal, error = audio[:, 80:], (audio - back)[:, 80:]
    assert 10 * np.log10(np.sum(signal**2) / np.sum(error**2)) >= 45.0


def test_encode_then_decode_is_the_full_pass(codec, encode, decode):
    model, variables, audio = codec
    out = jax.jit(model.apply)(variables, audio)
    tokens = encode(audio)
    np.testing.assert_array_equal(tokens, out.quantized.tokens)
    np.testing.assert_allclose(decode(tokens), out.audio, atol=1e-5)
    assert tokens.shape == (2, TINY.token_frames(2_000), 4)


def test_tokens_do_not_see_the_future(codec, encode):
    model, variables, audio = codec
    latent = jax.jit(lambda x: model.apply(variables, x, method="latent"))
    # STFT frame t is centred on sample 80 t and reads up to 80 t + 159: token frame n up to 320 n + 399.
    changed = audio.at[:, 1_040:].set(0.5)
    frames = 3  # ends before sample 1040
    np.testing.assert_array_equal(encode(audio)[:, :frames], encode(changed)[:, :frames])
    np.testing.assert_allclose(latent(audio)[:, :frames], latent(changed)[:, :frames], atol=1e-6)
    assert np.abs(latent(audio)[:, frames] - latent(changed)[:, frames]).max() > 1e-3


def test_decoder_does_not_see_the_future(decode):
    tokens = jax.random.randint(jax.random.key(2), (2, 8, 4), 0, 16)
    before, after = decode(tokens), decode(tokens.at[:, 5:].set(0))
    # Frame 20 is the first changed STFT frame; its window starts at sample 80 * 20 - 160.
    np.testing.assert_allclose(before[:, :1_440], after[:, :1_440], atol=1e-6)
    change = np.abs(before[:, 1_440:] - after[:, 1_440:]).max()
    assert change > 1e-2 * np.abs(before).max()


def test_training_pass_reaches_encoder_and_codebook_and_moves_the_statistics(codec):
    model, variables, audio = codec

    def loss(params):
        out, moved = model.apply(
            {**variables, "params": params},
            audio,
            key=jax.random.key(3),
            tau=2.0,
            train=True,
            mutable=["batch_stats"],
        )
        return jnp.mean((out.audio - audio) ** 2), moved

    grads, moved = jax.jit(jax.grad(loss, has_aux=True))(variables["params"])
    assert float(jnp.abs(grads["quantizer"]["codebook"]).max()) > 0
    assert float(jnp.abs(grads["encoder"]["conv0"]["kernel"]).max()) > 0
    assert float(jnp.abs(grads["encoder"]["gru"]["initial_state"]).max()) > 0
    old = variables["batch_stats"]["encoder"]["conv0"]["post"]["norm"]["mean"]
    new = moved["batch_stats"]["encoder"]["conv0"]["post"]["norm"]["mean"]
    assert float(jnp.abs(new - old).max()) > 0


def test_errors_say_what_to_change():
    with pytest.raises(ValueError, match="multiple of groups"):
        TFCodecConfig(latent=30, groups=4).make()
    model = TINY.make()
    with pytest.raises(ValueError, match="token frames give"):
        jax.eval_shape(
            lambda t: model.init(jax.random.key(0), t, 10_000, method="decode"),
            jax.ShapeDtypeStruct((1, 4, 4), jnp.int32),
        )


@pytest.mark.optimized
def test_a_row_decodes_to_the_same_bits_in_any_batch():
    """Wide enough for XLA to add up products differently for one row and for several."""
    config = TFCodecConfig(
        channels=(2, 2, 2, 32), tcm_hidden=64, tcm_dilations=(2,), latent=32, groups=4, codes=16
    )
    model = config.make()
    tokens = jax.random.randint(jax.random.key(0), (5, 12, 4), 0, 16)
    variables = jax.jit(lambda k, t: model.init(k, t, 3_000, method="decode"))(
        jax.random.key(1), tokens[:1]
    )
    decode = jax.jit(lambda t: model.apply(variables, t, 3_000, method="decode"))
    alone, pair, five = (np.asarray(decode(tokens[:rows])) for rows in (1, 2, 5))
    assert np.abs(alone).max() > 0
    np.testing.assert_array_equal(pair[:1], alone)
    np.testing.assert_array_equal(five[:2], pair)
    np.testing.assert_array_equal(decode(tokens[4:]), five[4:])
