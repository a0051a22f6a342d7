"""Run TF-Codec chunk by chunk: the network of ``model`` with its memory carried from call to call.

Every function takes a bound TFCodec, for ``codec.apply(variables, ..., method=encode_chunk)``. Chunks
are whole token frames; joined, they equal the coding of the whole signal, up to float rounding. A stream
is half a window out of step with its signal: the encoder starts with the ``lead_samples`` that complete
its first window but for one hop, and the decoder's first n_fft / 2 samples precede the signal.

Legend: B batch, L samples, T STFT frames, N token frames, F bins, K groups.
"""

import dataclasses

import flax.struct
import jax
import jax.numpy as jnp

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.audio.stft import istft, stft
from hsmtss_jax.models.tf_codec.model import (
    DecoderMemory,
    EncoderMemory,
    TFCodec,
    TFCodecConfig,
    compress,
    expand,
)


@flax.struct.dataclass
class EncoderState:
    """Hold the encoder's state between chunks.

    samples: the last n_fft - hop that were read, float32 [B, n_fft - hop]. memory: the network's.
    """

    samples: jax.Array
    memory: EncoderMemory


@flax.struct.dataclass
class DecoderState:
    """Hold the decoder's state between chunks.

    tail: sum of windows that later frames add to, float32 [B, n_fft - hop]. memory: the network's.
    """

    tail: jax.Array
    memory: DecoderMemory


@dataclasses.dataclass(frozen=True)
class Latency:
    """Hold algorithmic delays [ms], independent of the machine's speed.

    encoder: from the centre of a token's first STFT frame, which is its place in time, to the last
    sample that the token depends on: the other frames of the token and half a window. decoder: from the
    first sample that a frame writes to the frame's centre, half a window. total: a sample of the
    output is final when this much input after it has been read, at the latest.
    """

    encoder: float
    decoder: float

    @property
    def total(self) -> float:
        return self.encoder + self.decoder


def latency(config: TFCodecConfig, sample_rate: int = SAMPLE_RATE) -> Latency:
    """Compute the codec's latency; 25 + 10 = 35 ms with the paper's sizes.

    Token frame n needs ``token_reads(config, n)`` samples, and ``final_samples(config, n)`` samples of
    the output are final once it has been decoded. Chunks of more than one token frame add to it.
    """
    grouping = (config.frames_per_token - 1) * config.hop
    half = config.n_fft // 2
    return Latency(1e3 * (grouping + half) / sample_rate, 1e3 * half / sample_rate)


def token_reads(config: TFCodecConfig, token: int) -> int:
    """Return how many samples from the start token frame ``token`` depends on: 400 for the first."""
    last_centre = (token + 1) * config.token_samples - config.hop
    return last_centre + config.n_fft // 2


def final_samples(config: TFCodecConfig, token: int) -> int:
    """Return how many output samples no token frame after ``token`` changes: 160 after the first."""
    return (token + 1) * config.token_samples - config.n_fft // 2


def lead_samples(config: TFCodecConfig) -> int:
    """Return the number of samples that ``begin_encoding`` takes: 80."""
    return config.n_fft // 2 - config.hop


def begin_encoding(codec: TFCodec, lead: jax.Array) -> EncoderState:
    """Create the state before the first chunk, from the first ``lead_samples`` of a signal [B, 80]."""
    config = codec.config
    half = config.n_fft // 2
    samples = jnp.pad(lead.astype(jnp.float32), ((0, 0), (half, 0)))  # the STFT is centred
    no_frames = jnp.zeros((len(lead), 0, half + 1, 2))
    return EncoderState(samples=samples, memory=codec.latent_of_frames(no_frames)[1])


def encode_chunk(
    codec: TFCodec, x: jax.Array, state: EncoderState
) -> tuple[jax.Array, EncoderState]:
    """Encode the next samples [B, N token_samples] -> tokens int32 [B, N, K] and the next state."""
    config = codec.config
    x = jnp.concatenate([state.samples, x.astype(jnp.float32)], axis=1)
    features = compress(stft(x, config.n_fft, config.hop, center=False), config.power)
    latent, memory = codec.latent_of_frames(features, state.memory)
    kept = x[:, x.shape[1] - state.samples.shape[1] :]
    return codec.quantizer(latent).tokens, EncoderState(samples=kept, memory=memory)


def begin_decoding(codec: TFCodec, batch: int) -> DecoderState:
    """Create the state before the first token frame of ``batch`` signals."""
    config = codec.config
    no_tokens = jnp.zeros((batch, 0, config.groups, config.group_width))
    tail = jnp.zeros((batch, config.n_fft - config.hop))
    return DecoderState(tail=tail, memory=codec.frames_of(no_tokens)[1])


def decode_chunk(
    codec: TFCodec, tokens: jax.Array, state: DecoderState, count: jax.Array | int | None = None
) -> tuple[jax.Array, DecoderState]:
    """Decode the next tokens int [B, N, K] -> samples float32 [B, N token_samples] and the next state.

    count: number of valid token frames; later ones are padding and add no sound, for the last chunk of a
    signal. Its end is then followed by the first n_fft / 2 - hop samples of ``tail``, or by as many of the
    padding.
    """
    config = codec.config
    features, memory = codec.frames_of(codec.quantizer.decode(tokens), state.memory)
    spectrum = expand(features.astype(jnp.float32), config.power)
    if count is not None:
        real = jnp.arange(spectrum.shape[1]) < count * config.frames_per_token
        spectrum = jnp.where(real[None, :, None], spectrum, 0.0)
    x = istft(spectrum, config.n_fft, config.hop, center=False, normalize="constant")
    fresh = tokens.shape[1] * config.token_samples
    x = x + jnp.pad(state.tail, ((0, 0), (0, fresh)))
    return x[:, :fresh], DecoderState(tail=x[:, fresh:], memory=memory)
