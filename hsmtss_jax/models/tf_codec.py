"""TF-Codec: a causal neural codec over the power-compressed STFT (Jiang et al. 2022; HSM-TSS section III,
"acoustic tokens"). Layers, sizes and constants are those of the TF-Codec reference project's
non-predictive 6 kbps, 20 ms model.

Everything is causal: a token frame reads the samples up to the end of its last STFT frame.

Legend: B batch, L samples, T STFT frames, N token frames, F bins, C channels, K groups, V codes,
D width of a group's vector.
"""

import dataclasses
from typing import Any

import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp
from einops import rearrange

from hsmtss_jax.audio.stft import istft, stft
from hsmtss_jax.nn.conv import ConvLayer, TCMLayer, causal_conv, xavier
from hsmtss_jax.nn.quantize import GroupQuantizer, Quantized
from hsmtss_jax.nn.recurrent import GRU

_FLOOR = 1e-7
_STRIDES = (1, 4, 4, 2)  # along frequency: 161 -> 161 -> 41 -> 11 -> 5 bins
_PADDING = (2, 2, 2, 1)
_BINS = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class TFCodecConfig:
    """Sizes; the defaults are the paper's 7,628,428 parameters."""

    channels: tuple[int, int, int, int] = (16, 32, 64, 64)
    tcm_hidden: int = 512
    tcm_dilations: tuple[int, ...] = (1, 2, 4, 8)
    latent: int = 480  # per STFT frame
    groups: int = 16
    codes: int = 1024
    frames_per_token: int = 4  # STFT frames quantised together: 20 ms
    n_fft: int = 320
    hop: int = 80
    power: float = 0.3  # compression of the STFT magnitude
    sharpness: float = 5.0  # code logits are -sharpness * squared distance
    codebook_scale: float = 1.0  # codes start uniform in +-codebook_scale
    straight_through: bool = False  # short runs: the encoder also gets its codes' gradient

    @property
    def width(self) -> int:
        """Features of an STFT frame between encoder and decoder."""
        return self.channels[-1] * _BINS

    @property
    def group_width(self) -> int:
        """D, the width of a group's vector."""
        return self.latent // self.groups * self.frames_per_token

    def token_frames(self, samples: int) -> int:
        """N, the token frames of a signal of this many samples: 160000 -> 501."""
        stft_frames = -(-samples // self.hop) + 1
        return -(-stft_frames // self.frames_per_token)

    def padded_samples(self, samples: int) -> int:
        """The length that fills whole token frames: 160000 -> 160240."""
        return (self.token_frames(samples) * self.frames_per_token - 1) * self.hop

    def make(self, dtype: Any = jnp.float32) -> "TFCodec":
        """The module, computing in ``dtype``.

        Raises ValueError when the latent does not divide into the groups.
        """
        if self.latent % self.groups:
            raise ValueError(
                f"latent={self.latent} must be a multiple of groups={self.groups}: change either"
            )
        return TFCodec(config=self, dtype=dtype)


@flax.struct.dataclass
class CodecOutput:
    """audio: float32 [B, L]. latent: [B, N, K, D] before quantisation. quantized: after it."""

    audio: jax.Array
    latent: jax.Array
    quantized: Quantized


def compress(spectrum: jax.Array, power: float) -> jax.Array:
    """Complex [B, T, F] -> magnitude^power with the phase kept, as real and imaginary [B, T, F, 2]."""
    magnitude = jnp.abs(spectrum)
    scale = magnitude**power / jnp.maximum(magnitude, _FLOOR)
    return jnp.stack([spectrum.real * scale, spectrum.imag * scale], axis=-1)


def expand(features: jax.Array, power: float) -> jax.Array:
    """Inverse of ``compress`` up to its floor of 1e-7: [B, T, F, 2] -> complex [B, T, F]."""
    magnitude = jnp.sqrt(jnp.sum(features**2, axis=-1) + _FLOOR)
    scale = magnitude ** (1.0 / power) / (magnitude + _FLOOR)
    return jax.lax.complex(features[..., 0] * scale, features[..., 1] * scale)


def analyse(x: jax.Array, config: TFCodecConfig) -> jax.Array:
    """Samples [B, L] -> compressed STFT [B, T, F, 2], zero-padded on the right to whole token frames."""
    missing = config.padded_samples(x.shape[1]) - x.shape[1]
    x = jnp.pad(x.astype(jnp.float32), ((0, 0), (0, missing)))
    return compress(stft(x, config.n_fft, config.hop), config.power)


def synthesise(features: jax.Array, config: TFCodecConfig) -> jax.Array:
    """Compressed STFT [B, T, F, 2] -> samples [B, (T - 1) hop]."""
    spectrum = expand(features.astype(jnp.float32), config.power)
    return istft(spectrum, config.n_fft, config.hop, normalize="constant")


class Encoder(nn.Module):
    """Compressed STFT [B, T, F, 2] -> features [B, T, width]."""

    config: TFCodecConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        cfg = self.config
        for i, features in enumerate(cfg.channels):
            layer = ConvLayer(features, _STRIDES[i], _PADDING[i], dtype=self.dtype, name=f"conv{i}")
            x = layer(x, train=train)
        x = rearrange(x, "b t f c -> b t (c f)")
        for i, dilation in enumerate(cfg.tcm_dilations):
            tcm = TCMLayer(cfg.tcm_hidden, dilation, dtype=self.dtype, name=f"tcm{i}")
            x = tcm(x, train=train)
        return GRU(cfg.width, name="gru")(x)


class Decoder(nn.Module):
    """Features [B, T, width] -> compressed STFT [B, T, F, 2]."""

    config: TFCodecConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        x = self._frames(x.astype(self.dtype), train)
        x = rearrange(x, "b t (c f) -> b t f c", f=_BINS)
        widths = (*self.config.channels[-2::-1], 2)
        for i, features in enumerate(widths):
            j = len(widths) - 1 - i  # undoes the encoder's layer j
            layer = ConvLayer(
                features,
                _STRIDES[j],
                _PADDING[j],
                transpose=_STRIDES[j] > 1,
                dtype=self.dtype,
                name=f"conv{i}",
            )
            x = layer(x, train=train)
        kernel = self.param("out_kernel", xavier, (2, 5, 2, 2), jnp.float32)
        return causal_conv(x, kernel.astype(self.dtype), padding=2)

    def _frames(self, x: jax.Array, train: bool) -> jax.Array:
        """TCMs, GRU, TCMs: [B, T, width] -> [B, T, width]."""
        cfg = self.config
        for part in ("before", "after"):
            for i, dilation in enumerate(cfg.tcm_dilations):
                tcm = TCMLayer(cfg.tcm_hidden, dilation, dtype=self.dtype, name=f"{part}{i}")
                x = tcm(x, train=train)
            if part == "before":
                x = GRU(cfg.width, name="gru")(x)
        return x


class TFCodec(nn.Module):
    """The codec; variables {"params", "batch_stats"}. ``train`` chooses the batch's statistics."""

    config: TFCodecConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        cfg = self.config
        self.encoder = Encoder(cfg, self.dtype)
        self.project_in = self._linear(cfg.latent)
        self.quantizer = GroupQuantizer(
            groups=cfg.groups,
            codes=cfg.codes,
            width=cfg.group_width,
            sharpness=cfg.sharpness,
            init_scale=cfg.codebook_scale,
            straight_through=cfg.straight_through,
        )
        self.project_out = self._linear(cfg.width)
        self.decoder = Decoder(cfg, self.dtype)

    def __call__(
        self,
        x: jax.Array,
        *,
        key: jax.Array | None = None,
        tau: jax.Array | float = 1.0,
        train: bool = False,
    ) -> CodecOutput:
        """Encode, quantise and decode [B, L]. With ``key`` codes are Gumbel samples at temperature tau."""
        latent = self.latent(x, train=train)
        quantized = self.quantizer(latent, key=key, tau=tau)
        audio = self.reconstruct(quantized.values, x.shape[1], train=train)
        return CodecOutput(audio=audio, latent=latent, quantized=quantized)

    def encode(self, x: jax.Array, train: bool = False) -> jax.Array:
        """Samples [B, L] -> tokens int32 [B, N, K], N = config.token_frames(L)."""
        return self.quantizer(self.latent(x, train=train)).tokens

    def decode(self, tokens: jax.Array, length: int) -> jax.Array:
        """Tokens int [B, N, K] -> samples float32 [B, length].

        Raises ValueError when there are too few token frames for ``length``.
        """
        return self.reconstruct(self.quantizer.decode(tokens), length)

    def latent(self, x: jax.Array, *, train: bool = False) -> jax.Array:
        """Samples [B, L] -> vectors to quantise float32 [B, N, K, D]; a group's 4 frames are frame-major."""
        cfg = self.config
        features = analyse(x, cfg)
        frames = self.project_in(self.encoder(features, train=train)).astype(jnp.float32)
        return rearrange(
            frames, "b (n m) (k d) -> b n k (m d)", m=cfg.frames_per_token, k=cfg.groups
        )

    def reconstruct(self, values: jax.Array, length: int, *, train: bool = False) -> jax.Array:
        """Vectors [B, N, K, D], quantised or not -> samples float32 [B, length]."""
        cfg = self.config
        available = (values.shape[1] * cfg.frames_per_token - 1) * cfg.hop
        if length > available:
            raise ValueError(
                f"{values.shape[1]} token frames give {available} samples, not {length}"
            )
        frames = rearrange(values, "b n k (m d) -> b (n m) (k d)", m=cfg.frames_per_token)
        features = self.decoder(self.project_out(frames), train=train)
        return synthesise(features, cfg)[:, :length]

    def _linear(self, features: int) -> nn.Dense:
        return nn.Dense(features, use_bias=False, kernel_init=xavier, dtype=self.dtype)
