"""Mask decoder: from the predicted semantics to a mask on the recording's own spectrum.

The second way from S_hat to sound, beside HSM-TSS eq. (4); not in the paper. A U-Net reads the magnitude
spectrum of the mixture. S_mix and S_hat, interpolated to the grid of each level, are added to it; G_mix,
G_hat, the caption's [CLS] and the task scale and shift its channels (FiLM). It returns a gain in [0, 1]
for every time and frequency of the target, and how sure it is that the described sound is there.

Frame t of the spectrum is centred on sample t * hop, as in ``audio.masking``.

Legend: B batch, L samples, T frames, F bins, P patches, Ca width of S, Cg of G and T_cap, C channels,
N places of a level along frequency, X and Y time and frequency patches of S (P = X Y).
"""

import dataclasses
from typing import Any

import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
from einops import rearrange

from hsmtss_jax.audio.constants import FBANK_HOP, SAMPLE_RATE
from hsmtss_jax.audio.mel import hz_to_mel
from hsmtss_jax.audio.stft import istft, magnitude, stft
from hsmtss_jax.config import Inherited
from hsmtss_jax.nn.apply import apply
from hsmtss_jax.nn.transformer import Transformer, TransformerConfig
from hsmtss_jax.task import TASKS

POWER = 0.3  # exponent that compresses the magnitudes of the input
FLOOR = 1e-5  # magnitude added below the logarithm of the input
PATCH = 16  # mel frames and mel bands of a patch of S
MEL_LOW, MEL_HIGH = 20.0, 8000.0  # [Hz] of AudioMAE's mel bands


@dataclasses.dataclass(frozen=True, kw_only=True)
class MaskDecoderConfig:
    """Configure the network.

    Attributes:
      channels: of each level; every level but the last halves time and frequency.
      blocks: residual blocks of a level, on the way down and on the way up.
      layers: of the transformer over the places of the last level.
      heads: of its attention.
      patch: frames and bins of the spectrum that make one place of the first level.
      n_fft: window of the spectrum [samples].
      hop: of the spectrum [samples].
      audio_width: Ca.
      time_patches: X.
      freq_patches: Y.
      global_width: Cg.
      use_local: whether S_hat steers the mask; False is an ablation.
      use_global: whether G_hat does.
    """

    channels: tuple[int, ...] = (48, 96, 192, 384)
    blocks: int = 2
    layers: int = 4
    heads: int = 6
    patch: tuple[int, int] = (2, 8)
    n_fft: int = 1024
    hop: int = 256
    audio_width: Inherited = 768
    time_patches: Inherited = 64
    freq_patches: Inherited = 8
    global_width: Inherited = 768
    use_local: bool = True
    use_global: bool = True

    @property
    def halvings(self) -> int:
        """Return how often time and frequency are halved."""
        return len(self.channels) - 1

    @property
    def places(self) -> int:
        """Return the places of the first level along frequency; the highest bin has none."""
        return self.n_fft // 2 // self.patch[1]

    def frames(self, samples: int) -> int:
        """Return the frames T of a signal: one every hop, and one at its end."""
        return samples // self.hop + 1

    def make(self, dtype: Any = jnp.float32) -> "MaskDecoder":
        """Create the module with compute dtype ``dtype``.

        Raises ValueError: the bins cannot be grouped and halved so, or the heads do not divide the width.
        """
        if (self.n_fft // 2) % (self.patch[1] * 2**self.halvings):
            raise ValueError(
                f"n_fft={self.n_fft} gives {self.n_fft // 2} bins, which cannot be put in groups of "
                f"{self.patch[1]} and halved {self.halvings} times"
            )
        if self.channels[-1] % self.heads:
            raise ValueError(f"{self.heads} heads do not divide {self.channels[-1]} channels")
        return MaskDecoder(config=self, dtype=dtype)


@flax.struct.dataclass
class Steering:
    """Hold what steers the mask.

    s_mix, s_hat: [B, P, Ca]. g_mix, g_hat: [B, 1, Cg]. text: the caption's [CLS] in T_cap [B, Cg]. task:
    int [B], place in ``TASKS``.
    """

    s_mix: jax.Array
    s_hat: jax.Array
    g_mix: jax.Array
    g_hat: jax.Array
    text: jax.Array
    task: jax.Array


@flax.struct.dataclass
class MaskOutput:
    """Hold a mask: gains float32 [B, T, F] in [0, 1], and the log odds [B] that the sound is there."""

    gains: jax.Array
    presence: jax.Array


def spectrum(config: MaskDecoderConfig, audio: jax.Array) -> jax.Array:
    """Compute the spectrum complex64 [B, T, F] of audio [B, L] at 16 kHz that masks are applied to."""
    return stft(audio, config.n_fft, config.hop)


def apply_gains(config: MaskDecoderConfig, audio: jax.Array, gains: jax.Array) -> jax.Array:
    """Attenuate the spectrum of audio [B, L] by gains [B, T, F]: float32 [B, L]."""
    z = spectrum(config, audio) * gains
    return istft(z, config.n_fft, config.hop, length=audio.shape[1])


def decode_mask(
    config: MaskDecoderConfig,
    params: Any,
    audio: jax.Array,
    steering: "Steering",
    dtype: Any = jnp.float32,
) -> "MaskOutput":
    """Predict the mask of audio [B, L] at 16 kHz and at working level.

    Args:
      config: of the mask decoder.
      params: of the mask decoder.
      audio: [B, L].
      steering: what steers the mask.
      dtype: compute dtype.
    """
    z = spectrum(config, audio)
    return apply(config.make(dtype), {"params": params}, z, steering, out=MaskOutput)


class ConvBlock(nn.Module):
    """Apply two 3x3 convolutions on a residual stream, steered between them."""

    channels: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, query: jax.Array, local: jax.Array) -> jax.Array:
        """Transform x [B, T, N, C] by query [B, E] and local [B, T, N, C]."""
        y = nn.RMSNorm(dtype=self.dtype, name="norm")(x)
        y = nn.Conv(self.channels, (3, 3), dtype=self.dtype, name="first")(y)
        film = nn.Dense(2 * self.channels, dtype=self.dtype, name="film")(query)
        scale, shift = jnp.split(film[:, None, None, :], 2, axis=-1)
        y = nn.silu(y * (1.0 + scale) + shift + local)
        zeros = nn.initializers.zeros_init()
        return x + nn.Conv(
            self.channels, (3, 3), dtype=self.dtype, kernel_init=zeros, name="second"
        )(y)


class MaskDecoder(nn.Module):
    """Predict a mask for windows of any length."""

    config: MaskDecoderConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, z: jax.Array, steering: Steering) -> MaskOutput:
        """Predict the mask of a spectrum z complex64 [B, T, F], see ``spectrum``."""
        cfg = self.config
        frames = (
            z.shape[1] - 1
        )  # the last one lies at the signal's end and has the gains of the one before
        query = self._query(steering)
        x = self._stem(z[:, :frames])
        length = x.shape[1]
        grid = self._grid(steering)
        levels = range(cfg.halvings + 1)
        local = [self._local(grid, level, length >> level) for level in levels]
        skips = []
        for level in range(cfg.halvings):
            x = self._blocks("down", level, x, query, local[level])
            skips.append(x)
            x = self._dense(cfg.channels[level + 1], f"halve_{level}")(_merged(x))
        x, presence = self._middle(x, query, local[-1])
        for level in reversed(range(cfg.halvings)):
            x = _split(self._dense(4 * cfg.channels[level], f"double_{level}")(x)) + skips[level]
            x = self._blocks("up", level, x, query, local[level])
        x = nn.RMSNorm(dtype=self.dtype, name="norm")(x)
        logits = self._dense(cfg.patch[0] * cfg.patch[1], "gains")(x).astype(jnp.float32)
        gains = nn.sigmoid(_unpatched(logits, *cfg.patch))[:, :frames]
        gains = jnp.pad(gains, ((0, 0), (0, 1), (0, 1)), mode="edge")
        return MaskOutput(gains=gains, presence=presence.astype(jnp.float32))

    def _dense(self, width: int, name: str) -> nn.Dense:
        return nn.Dense(width, dtype=self.dtype, name=name)

    def _query(self, steering: Steering) -> jax.Array:
        """Embed what is the same everywhere: [B, E]."""
        cfg = self.config
        width = cfg.channels[-1]
        known = [steering.text]
        if cfg.use_global:
            known += [steering.g_mix[:, 0], steering.g_hat[:, 0]]
        parts = [self._norm(f"query_{i}")(x) for i, x in enumerate(known)]
        task = nn.Embed(len(TASKS), width, dtype=self.dtype, name="task")(steering.task)
        x = self._dense(width, "query_in")(jnp.concatenate(parts, axis=-1)) + task
        x = self._dense(width, "query_mid")(nn.silu(x))
        return nn.silu(x)

    def _norm(self, name: str) -> nn.LayerNorm:
        return nn.LayerNorm(use_bias=False, use_scale=False, dtype=self.dtype, name=name)

    def _stem(self, z: jax.Array) -> jax.Array:
        """Embed the spectrum [B, T, F]: [B, T', N, C], T' padded to be halved."""
        cfg = self.config
        size = magnitude(z[:, :, :-1]) * (2.0 / cfg.n_fft)
        size = jnp.pad(size, ((0, 0), (0, -size.shape[1] % (cfg.patch[0] << cfg.halvings)), (0, 0)))
        scaled = size**POWER, (jnp.log(size + FLOOR) + 8.0) / 4.0
        x = jnp.concatenate([_patched(each, *cfg.patch) for each in scaled], axis=-1)
        x = x.astype(self.dtype)
        x = nn.Conv(cfg.channels[0], (3, 3), dtype=self.dtype, name="stem")(x)
        place = nn.initializers.normal(0.02)
        at = self.param("place", place, (1, 1, cfg.places, cfg.channels[0]))
        return x + at.astype(self.dtype)

    def _grid(self, steering: Steering) -> jax.Array:
        """Embed S_mix, and S_hat beside it, on their own grid: [B, X, Y, C]."""
        cfg = self.config
        parts = [self._norm("s_mix")(steering.s_mix)]
        if cfg.use_local:
            parts.append(self._norm("s_hat")(steering.s_hat))
        x = self._dense(cfg.channels[-1], "s_in")(jnp.concatenate(parts, axis=-1))
        x = nn.silu(x)
        return x.reshape(x.shape[0], cfg.time_patches, cfg.freq_patches, -1)

    def _local(self, grid: jax.Array, level: int, length: int) -> jax.Array:
        """Project the embedded S to a level and interpolate it to its grid: [B, T, N, C]."""
        cfg = self.config
        x = self._dense(cfg.channels[level], f"local_{level}")(grid)
        in_time = jnp.asarray(time_weights(cfg, level, length), self.dtype)
        in_frequency = jnp.asarray(frequency_weights(cfg, level), self.dtype)
        return jnp.einsum("tx,bxyc,ny->btnc", in_time, x, in_frequency)

    def _blocks(
        self, way: str, level: int, x: jax.Array, query: jax.Array, local: jax.Array
    ) -> jax.Array:
        for i in range(self.config.blocks):
            block = ConvBlock(self.config.channels[level], self.dtype, name=f"{way}_{level}_{i}")
            x = block(x, query, local)
        return x

    def _middle(
        self, x: jax.Array, query: jax.Array, local: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        """Let all places of the last level see one another: ([B, T, N, C], presence [B])."""
        cfg = self.config
        x = self._blocks("bottom", cfg.halvings, x, query, local)
        width = cfg.channels[-1]
        first = self._dense(width, "presence_query")(query)[:, None]
        tokens = jnp.concatenate([first, x.reshape(x.shape[0], -1, width)], axis=1)
        stack = TransformerConfig(width=width, depth=cfg.layers, heads=cfg.heads)
        tokens = Transformer(stack, self.dtype, name="middle")(tokens).x
        presence = self._dense(1, "presence")(tokens[:, 0])[:, 0]
        return x + tokens[:, 1:].reshape(x.shape), presence


def _patched(x: jax.Array, frames: int, bins: int) -> jax.Array:
    """Group frames and bins to places: [B, T, F] -> [B, T / frames, F / bins, frames bins]."""
    return rearrange(x, "b (t i) (n j) -> b t n (i j)", i=frames, j=bins)


def _unpatched(x: jax.Array, frames: int, bins: int) -> jax.Array:
    """Undo ``_patched``."""
    return rearrange(x, "b t n (i j) -> b (t i) (n j)", i=frames, j=bins)


def _merged(x: jax.Array) -> jax.Array:
    """Concatenate each 2 x 2 places: [B, T, N, C] -> [B, T/2, N/2, 4 C]."""
    return rearrange(x, "b (t i) (n j) c -> b t n (i j c)", i=2, j=2)


def _split(x: jax.Array) -> jax.Array:
    """Undo ``_merged``: [B, T, N, 4 C] -> [B, 2 T, 2 N, C]."""
    return rearrange(x, "b t n (i j c) -> b (t i) (n j) c", i=2, j=2)


def time_weights(config: MaskDecoderConfig, level: int, length: int) -> np.ndarray:
    """Compute weights float32 [length, X] that interpolate the columns of S to the frames of a level."""
    step = config.patch[0] * 2**level
    seconds = ((np.arange(length) + 0.5) * step - 0.5) * config.hop / SAMPLE_RATE
    column = PATCH * FBANK_HOP / SAMPLE_RATE
    return _linear(seconds / column - 0.5, config.time_patches)


def frequency_weights(config: MaskDecoderConfig, level: int) -> np.ndarray:
    """Compute weights float32 [N, Y] that interpolate the rows of S, in mel, to the places of a level."""
    step = config.patch[1] * 2**level
    bins = (np.arange(config.places // 2**level) + 0.5) * step - 0.5
    low, high = hz_to_mel(MEL_LOW, "kaldi"), hz_to_mel(MEL_HIGH, "kaldi")
    mel = hz_to_mel(bins * SAMPLE_RATE / config.n_fft, "kaldi")
    # band m of M is centred on m + 1 of the M + 1 intervals between the limits
    bands = PATCH * config.freq_patches
    band = (mel - low) / (high - low) * (bands + 1) - 1
    return _linear((band + 0.5) / PATCH - 0.5, config.freq_patches)


def _linear(places: np.ndarray, count: int) -> np.ndarray:
    """Compute weights float32 [len(places), count] of linear interpolation, constant beyond the ends."""
    places = np.clip(places, 0, count - 1)
    return np.maximum(0, 1 - np.abs(places[:, None] - np.arange(count))).astype(np.float32)
