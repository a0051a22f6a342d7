"""State that is carried from call to call is the same compiled and op by op.

XLA on a CPU has compiled shift registers (``x.at[1:].set(x[:-1])``, then a reshape) into wrong values
without a word. Nothing here is written so; these tests say that what is written instead is right.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.conversion import from_dict
from hsmtss_jax.models.acoustic_decoder.model import AcousticDecoderConfig
from hsmtss_jax.models.acoustic_decoder.step import decode_step, prefill, widen
from hsmtss_jax.models.acoustic_decoder.weights import prepare_decode
from hsmtss_jax.models.tf_codec import stream
from hsmtss_jax.models.tf_codec.model import TFCodecConfig
from hsmtss_jax.testing.bundles import tiny_upstream

pytestmark = pytest.mark.optimized  # as users' programs are compiled
CHUNKS, ROOM = 3, 2


def assert_same(compiled, eager, **tolerance):
    """Every array of two trees is the same, integers exactly."""
    leaves, others = jax.tree.leaves(compiled), jax.tree.leaves(eager)
    assert jax.tree.structure(compiled) == jax.tree.structure(eager) and leaves
    for a, b in zip(leaves, others, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        options = tolerance if jnp.issubdtype(a.dtype, jnp.floating) else {"rtol": 0}
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), **options)


def codec():
    """(config, a function of the compiled or eager method, variables)."""
    bundle = tiny_upstream(["tf_codec"])["tf_codec"]
    config = from_dict(TFCodecConfig, bundle.config["model"])
    return config, lambda method: functools.partial(config.make().apply, method=method), bundle


def test_the_codec_s_encoder_state():
    config, method, bundle = codec()
    size, lead = config.token_samples, stream.lead_samples(config)
    drawn = np.random.default_rng(0).normal(size=(2, lead + CHUNKS * size))
    audio = (0.1 * drawn).astype(np.float32)

    def run(wrap):
        state = wrap(method(stream.begin_encoding))(bundle.params, audio[:, :lead])
        encode, states = wrap(method(stream.encode_chunk)), []
        for start in range(lead, audio.shape[1], size):
            tokens, state = encode(bundle.params, audio[:, start : start + size], state)
            states.append((tokens, state))
        return states

    compiled = run(jax.jit)
    with jax.disable_jit():
        assert_same(compiled, run(lambda function: function), atol=1e-4, rtol=1e-4)


def test_the_codec_s_decoder_state():
    config, method, bundle = codec()
    shape = 2, CHUNKS, config.groups
    tokens = np.random.default_rng(0).integers(config.codes, size=shape).astype(np.int32)

    def run(begin, decode):
        state, states = begin(bundle.params, 2), []
        for frame in range(CHUNKS):
            audio, state = decode(bundle.params, tokens[:, frame : frame + 1], state)
            states.append((audio, state))
        return states

    begin, decode = method(stream.begin_decoding), method(stream.decode_chunk)
    compiled = run(jax.jit(begin, static_argnums=1), jax.jit(decode))
    scale = max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(compiled))
    with jax.disable_jit():
        assert_same(compiled, run(begin, decode), atol=1e-5 * scale, rtol=1e-4)


@pytest.mark.parametrize("conditioning", ["aligned", "cross"])  # prefix and columns
def test_the_decoder_s_cache(conditioning):
    """Filled by the prefix, written slot by slot, widened on the way."""
    config = AcousticDecoderConfig(
        width=32,
        depth=1,
        heads=4,
        groups=3,
        codes=11,
        audio_width=20,
        time_patches=3,
        freq_patches=2,
        condition=conditioning,
    )
    rng = np.random.default_rng(0)
    shape = 2, config.patches, config.audio_width
    patches = rng.normal(size=shape).astype(np.float32)
    mask = np.arange(config.patches)[None, :] < np.array([[2], [config.patches]])
    tokens = rng.integers(config.codes, size=(2 * ROOM, 2, config.groups)).astype(np.int32)
    zeros = jnp.zeros((2, 1, config.groups), jnp.int32)
    params = jax.jit(config.make().init)(jax.random.key(0), patches, zeros)["params"]
    weights = prepare_decode(config, params)

    def run(wrap):
        fill = functools.partial(prefill, config, frames=2 * ROOM, room=ROOM)
        cache = wrap(fill)(weights, patches, prefix_mask=mask)
        step, out = wrap(functools.partial(decode_step, config)), [cache]
        for frame, previous in enumerate(tokens):
            if frame == ROOM:
                cache = wrap(functools.partial(widen, config, frames=2 * ROOM))(cache)
            logits, cache = step(weights, previous, cache)
            out.append((logits, cache))
        return out

    compiled = run(jax.jit)
    with jax.disable_jit():
        assert_same(compiled, run(lambda function: function), atol=1e-5, rtol=1e-4)
