"""TF-Codec chunk by chunk: the whole signal's tokens and waveform, one program a chunk size, latency."""

import collections
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.models.tf_codec import stream
from hsmtss_jax.models.tf_codec.model import TFCodecConfig

SMALL = TFCodecConfig(
    channels=(2, 4, 4, 4), tcm_hidden=8, tcm_dilations=(1, 8), latent=16, groups=4, codes=16
)
OTHER = TFCodecConfig(
    channels=(2, 3, 4, 5),
    tcm_hidden=6,
    tcm_dilations=(3,),
    latent=12,
    groups=3,
    codes=7,
    frames_per_token=3,
    hop=64,
    power=0.5,
)
FRAMES = 30  # token frames
pytestmark = pytest.mark.optimized


def weights(config: TFCodecConfig) -> dict:
    """Random variables under which sound is audible on both sides; nothing is compiled for them."""
    rng = np.random.default_rng(0)
    spec = jax.ShapeDtypeStruct((1, 2000), jnp.float32)
    shapes = jax.eval_shape(config.make().init, jax.random.key(0), spec)

    def leaf(path, spec):
        name = path[-1].key
        if name in ("scale", "var", "slope") or name.endswith("mean"):
            return np.full(spec.shape, {"slope": 0.3, "mean": 0.0}.get(name, 1.0), np.float32)
        gain = np.prod(spec.shape[:-1]) ** -0.5 if name.endswith("kernel") else 1.0
        gain *= 2.0 if name == "out_kernel" else 1.0
        return (gain * rng.normal(size=spec.shape)).astype(np.float32)

    return jax.tree_util.tree_map_with_path(leaf, shapes)


def signal(samples: int) -> np.ndarray:
    """Noise whose level and colour change every 50 ms, float32 [2, samples]."""
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(2, samples // 800 + 1, 800))
    noise[:, ::2] = noise[:, ::2].cumsum(axis=-1)  # every other one is brown
    loud = noise * 10 ** rng.uniform(-3, -0.5, (*noise.shape[:2], 1))
    return loud.reshape(2, -1)[:, :samples].astype(np.float32)


class Streamed:
    """A codec, a signal, and what the whole of it gives; programs are compiled when first called."""

    def __init__(self, config: TFCodecConfig) -> None:
        self.config = config
        self.variables = weights(config)
        self.traced = collections.Counter()  # how often each program was compiled
        samples = FRAMES * config.token_samples - config.hop
        self.audio = signal(samples)
        self.begin_encoding = self._program(stream.begin_encoding)
        self.begin_decoding = self._program(stream.begin_decoding, static_argnums=1)
        self.encode_chunk = self._program(stream.encode_chunk)
        self.decode_chunk = self._program(stream.decode_chunk)
        self.encode = self._program(lambda codec, x: (codec.latent(x), codec.encode(x)))
        self.decode = self._program(lambda codec, tokens: codec.decode(tokens, samples))
        spread = np.asarray(self.encode(self.audio)[0])[0, :: FRAMES // config.codes]
        codebook = spread[: config.codes].swapaxes(0, 1)  # codes that the signal comes near
        self.variables["params"]["quantizer"]["codebook"][...] = codebook
        self.tokens = np.asarray(self.encode(self.audio)[1])
        self.decoded = np.asarray(self.decode(self.tokens))

    def _program(self, method, **options):
        def apply(variables, *arguments):
            self.traced[method] += 1
            return self.config.make().apply(variables, *arguments, method=method)

        return functools.partial(jax.jit(apply, **options), self.variables)


@pytest.fixture(scope="module", params=[SMALL, OTHER], ids=["small", "other"])
def codec(request) -> Streamed:
    return Streamed(request.param)


def chunk_sizes(codec: Streamed) -> tuple[int, ...]:
    return (1, 3, 10) if codec.config == SMALL else (3,)


def test_tokens_are_those_of_the_whole_signal(codec):
    config = codec.config
    end = stream.token_reads(config, FRAMES - 1)
    padded = np.pad(codec.audio, ((0, 0), (0, end - codec.audio.shape[1])))
    lead = stream.lead_samples(config)
    for chunk in chunk_sizes(codec):
        state, found = codec.begin_encoding(padded[:, :lead]), []
        size = chunk * config.token_samples
        for start in range(lead, end, size):
            tokens, state = codec.encode_chunk(padded[:, start : start + size], state)
            found.append(tokens)
        np.testing.assert_array_equal(np.concatenate(found, axis=1), codec.tokens)
    assert len(np.unique(codec.tokens)) >= codec.config.codes - 2
    assert codec.traced[stream.encode_chunk] == len(chunk_sizes(codec))


def streamed(codec: Streamed, tokens: np.ndarray, chunk: int, count: int) -> np.ndarray:
    """What a stream makes of tokens whose last chunk has ``count`` real frames, the tail included."""
    state, parts = codec.begin_decoding(2), []
    for start in range(0, tokens.shape[1], chunk):
        last = start + chunk == tokens.shape[1]
        part = tokens[:, start : start + chunk]
        audio, state = codec.decode_chunk(part, state, count if last else chunk)
        parts.append(audio)
    return np.concatenate([*parts, state.tail], axis=1)[:, codec.config.n_fft // 2 :]


def test_the_waveform_is_that_of_the_whole_signal(codec):
    assert 0.03 < np.abs(codec.decoded).max() < 3
    samples = codec.decoded.shape[1]
    for chunk in chunk_sizes(codec):
        joined = streamed(codec, codec.tokens, chunk, chunk)
        np.testing.assert_allclose(joined[:, :samples], codec.decoded, atol=1e-5)
    assert codec.traced[stream.decode_chunk] == len(chunk_sizes(codec))


def test_padding_behind_the_last_tokens_adds_no_sound(codec):
    """Four of six frames are real: the same as a stream of the first four, then silence."""
    config = codec.config
    padded = streamed(codec, codec.tokens[:, :6], 3, 1)
    alone = streamed(codec, codec.tokens[:, :3], 3, 3)
    final = stream.final_samples(config, 2)
    np.testing.assert_array_equal(padded[:, :final], alone[:, :final])
    end = 4 * config.token_samples - config.hop + config.n_fft // 2
    assert np.abs(padded[:, final : end - config.n_fft // 2]).max() > 1e-3
    np.testing.assert_array_equal(padded[:, end:], 0)


def test_latency_in_milliseconds():
    paper = stream.latency(TFCodecConfig())
    assert (paper.encoder, paper.decoder, paper.total) == (25.0, 10.0, 35.0)
    assert stream.token_reads(TFCodecConfig(), 0) == 400
    assert stream.final_samples(TFCodecConfig(), 0) == 160
    assert stream.latency(OTHER, 32_000).total == pytest.approx(1e3 * (2 * 64 + 320) / 32_000)


def test_a_token_depends_on_the_samples_that_latency_says(codec):
    """The last sample a token reads changes its vector, the next one does not."""
    config, token = codec.config, 4
    reads = stream.token_reads(config, token)
    changed = codec.audio.copy()
    changed[0, reads:] += 0.3  # row 0: behind what the token reads
    changed[1, reads - 2 :] += (
        0.3  # row 1: its window's last two samples (the very last weighs 1e-4)
    )
    before, after = (
        codec.encode(codec.audio)[0][:, : token + 1],
        codec.encode(changed)[0][:, : token + 1],
    )
    np.testing.assert_array_equal(before[0], after[0])
    assert np.abs(before[1, token] - after[1, token]).max() > 0
    np.testing.assert_array_equal(before[1, :token], after[1, :token])


def test_a_sample_is_final_after_the_latency(codec):
    config, token = codec.config, 4
    changed = np.array(codec.tokens)
    changed[:, token + 1 :] = (changed[:, token + 1 :] + 1) % config.codes
    final = stream.final_samples(config, token)
    before, after = codec.decoded, np.asarray(codec.decode(changed))
    np.testing.assert_array_equal(before[:, :final], after[:, :final])
    assert np.abs(before[:, final : final + 8] - after[:, final : final + 8]).max() > 0
    # End to end: sample ``final`` waits for the next token's last sample, ``total`` from its own start.
    wait = stream.token_reads(config, token + 1) - final
    assert wait == stream.latency(config).total * 16
