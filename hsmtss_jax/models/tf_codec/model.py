"""TF-Codec: a causal neural codec over the power-compressed STFT (Jiang et al. 2022; HSM-TSS section III-E).

Layers, sizes and constants are those of the TF-Codec reference project's non-predictive 6 kbps, 20 ms
model.

Everything is causal: a token frame depends on samples up to the end of its last STFT frame. Encoder and
decoder take the memory of earlier frames (None: there were none) and return it, so that ``stream`` runs
the same network chunk by chunk.

Legend: B batch, L samples, T STFT frames, N token frames, F bins, C channels, K groups, V codes,
D width of a group's vector.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, TypeVar

import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp
from einops import rearrange

from hsmtss_jax.audio.stft import istft, stft
from hsmtss_jax.nn.apply import apply
from hsmtss_jax.nn.conv import ConvLayer, TCMLayer, causal_conv, latest, xavier
from hsmtss_jax.nn.quantize import GroupQuantizer, Quantized
from hsmtss_jax.nn.recurrent import GRU

_FLOOR = 1e-7
_STRIDES = (1, 4, 4, 2)  # along frequency: 161 -> 161 -> 41 -> 11 -> 5 bins
_PADDING = (2, 2, 2, 1)
_BINS = 5
_Past = tuple[jax.Array | None, ...]

Count = TypeVar("Count", int, jax.Array)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TFCodecConfig:
    """Configure TF-Codec; the defaults are the paper's 7,628,428 parameters."""

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
        """Return the features per STFT frame between encoder and decoder."""
        return self.channels[-1] * _BINS

    @property
    def token_samples(self) -> int:
        """Return the distance of token frames [samples]: 320, 20 ms."""
        return self.frames_per_token * self.hop

    @property
    def group_width(self) -> int:
        """Return D, the width of a group's vector."""
        return self.latent // self.groups * self.frames_per_token

    def token_frames(self, samples: Count) -> Count:
        """Return N, the token frames of a signal of this many samples: 160000 -> 501."""
        stft_frames = -(-samples // self.hop) + 1
        return -(-stft_frames // self.frames_per_token)

    def padded_samples(self, samples: int) -> int:
        """Return the length that fills whole token frames: 160000 -> 160240."""
        return (self.token_frames(samples) * self.frames_per_token - 1) * self.hop

    def make(self, dtype: Any = jnp.float32) -> "TFCodec":
        """Create the module with compute dtype ``dtype``.

        Raises:
          ValueError: the latent does not divide into the groups.
        """
        if self.latent % self.groups:
            raise ValueError(
                f"latent={self.latent} must be a multiple of groups={self.groups}: change either"
            )
        return TFCodec(config=self, dtype=dtype)


@flax.struct.dataclass
class EncoderMemory:
    """Hold the encoder's memory of earlier frames; None: there were none.

    convs: last inputs of the convolutions [B, 1, F, C]. tcms: inner features of the TCMs
    [B, 4 dilation, C]. gru: the GRU's state [B, width].
    """

    convs: _Past
    tcms: _Past
    gru: jax.Array | None


@flax.struct.dataclass
class DecoderMemory:
    """Hold the decoder's memory of earlier frames; TCMs are before and after the GRU."""

    before: _Past
    gru: jax.Array | None
    after: _Past
    convs: _Past


@flax.struct.dataclass
class CodecOutput:
    """Hold the codec's output.

    audio: float32 [B, L]. latent: [B, N, K, D] before quantisation. quantized: after it.
    """

    audio: jax.Array
    latent: jax.Array
    quantized: Quantized


def compress(spectrum: jax.Array, power: float) -> jax.Array:
    """Compress complex [B, T, F] to magnitude^power with its phase, as real and imaginary [B, T, F, 2]."""
    magnitude = jnp.abs(spectrum)
    scale = magnitude**power / jnp.maximum(magnitude, _FLOOR)
    return jnp.stack([spectrum.real * scale, spectrum.imag * scale], axis=-1)


def expand(features: jax.Array, power: float) -> jax.Array:
    """Invert ``compress`` up to its floor of 1e-7: [B, T, F, 2] -> complex [B, T, F]."""
    magnitude = jnp.sqrt(jnp.sum(features**2, axis=-1) + _FLOOR)
    scale = magnitude ** (1.0 / power) / (magnitude + _FLOOR)
    return jax.lax.complex(features[..., 0] * scale, features[..., 1] * scale)


def analyse(x: jax.Array, config: TFCodecConfig) -> jax.Array:
    """Compute the compressed STFT of [B, L], zero-padded to whole token frames -> [B, T, F, 2]."""
    missing = config.padded_samples(x.shape[1]) - x.shape[1]
    x = jnp.pad(x.astype(jnp.float32), ((0, 0), (0, missing)))
    return compress(stft(x, config.n_fft, config.hop), config.power)


def synthesise(features: jax.Array, config: TFCodecConfig) -> jax.Array:
    """Invert the compressed STFT [B, T, F, 2] -> samples [B, (T - 1) hop]."""
    spectrum = expand(features.astype(jnp.float32), config.power)
    return istft(spectrum, config.n_fft, config.hop, normalize="constant")


class Encoder(nn.Module):
    """Encode compressed STFT [B, T, F, 2] -> features [B, T, width], and memory for the next frames."""

    config: TFCodecConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, x: jax.Array, memory: EncoderMemory | None = None, *, train: bool
    ) -> tuple[jax.Array, EncoderMemory]:
        cfg = self.config
        if memory is None:
            memory = EncoderMemory(
                convs=_nothing(cfg.channels), tcms=_nothing(cfg.tcm_dilations), gru=None
            )
        convs = []
        for i, features in enumerate(cfg.channels):
            layer = ConvLayer(features, _STRIDES[i], _PADDING[i], dtype=self.dtype, name=f"conv{i}")
            x, kept = layer(x, train=train, past=memory.convs[i])
            convs.append(kept)
        x = rearrange(x, "b t f c -> b t (c f)")
        x, tcms = _tcm_stack(self, "tcm", x, memory.tcms, train)
        x, gru = GRU(cfg.width, name="gru")(x, memory.gru)
        return x, EncoderMemory(convs=tuple(convs), tcms=tcms, gru=gru)


class Decoder(nn.Module):
    """Decode features [B, T, width] -> compressed STFT [B, T, F, 2], and memory for the next frames."""

    config: TFCodecConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, x: jax.Array, memory: DecoderMemory | None = None, *, train: bool
    ) -> tuple[jax.Array, DecoderMemory]:
        cfg = self.config
        if memory is None:
            tcms = _nothing(cfg.tcm_dilations)
            memory = DecoderMemory(
                before=tcms, gru=None, after=tcms, convs=_nothing((*cfg.channels, 2))
            )
        x = x.astype(self.dtype)
        x, before = _tcm_stack(self, "before", x, memory.before, train)
        x, gru = GRU(cfg.width, name="gru")(x, memory.gru)
        x, after = _tcm_stack(self, "after", x, memory.after, train)
        x = rearrange(x, "b t (c f) -> b t f c", f=_BINS)
        x, convs = self._spectrum(x, memory.convs, train)
        return x, DecoderMemory(before=before, gru=gru, after=after, convs=convs)

    def _spectrum(self, x: jax.Array, past: _Past, train: bool) -> tuple[jax.Array, _Past]:
        """Apply the convolutions: [B, T, 5, C] -> [B, T, F, 2]."""
        convs = []
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
            x, kept = layer(x, train=train, past=past[i])
            convs.append(kept)
        kernel = self.param("out_kernel", xavier, (2, 5, 2, 2), jnp.float32).astype(self.dtype)
        kept = latest(x, 1, past[-1])
        return causal_conv(x, kernel, padding=2, past=past[-1]), (*convs, kept)


def _nothing(layers: Sequence[int]) -> _Past:
    """Return the empty memory of layers before the first frame."""
    return (None,) * len(layers)


def _tcm_stack(
    parent: Encoder | Decoder, name: str, x: jax.Array, past: _Past, train: bool
) -> tuple[jax.Array, _Past]:
    """Apply TCMs of the parent's dilations, its submodules ``name``0, 1, ...: [B, T, width] -> the same.

    Args:
      parent: module that owns the layers.
      name: prefix of their names.
      x: [B, T, width].
      past: their memory.
      train: use the batch's statistics.
    """
    cfg, kept = parent.config, []
    for i, dilation in enumerate(cfg.tcm_dilations):
        tcm = TCMLayer(cfg.tcm_hidden, dilation, dtype=parent.dtype, name=f"{name}{i}")
        x, inner = tcm(x, train=train, past=past[i])
        kept.append(inner)
    return x, tuple(kept)


class TFCodec(nn.Module):
    """Encode and decode; variables {"params", "batch_stats"}. ``train`` uses the batch's statistics."""

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
        """Encode samples [B, L] -> tokens int32 [B, N, K], N = config.token_frames(L)."""
        return self.quantizer(self.latent(x, train=train)).tokens

    def decode(self, tokens: jax.Array, length: int) -> jax.Array:
        """Decode tokens int [B, N, K] -> samples float32 [B, length].

        On CPU a row is the same bit for bit in any batch: rows are decoded one by one, since products
        of other sizes are added up in another order. On accelerators all rows are decoded at once.

        Raises:
          ValueError: too few token frames for ``length``.
        """
        values = self.quantizer.decode(tokens)
        if self.is_initializing():
            return self.reconstruct(values, length)
        codec, variables = self.unbind()

        def together(variables: Any, values: jax.Array) -> jax.Array:
            return apply(codec, variables, values, length, method="reconstruct", out=jax.Array)

        def one_by_one(variables: Any, values: jax.Array) -> jax.Array:
            return jax.lax.map(lambda row: together(variables, row[None])[0], values)

        return jax.lax.platform_dependent(variables, values, cpu=one_by_one, default=together)

    def latent(self, x: jax.Array, *, train: bool = False) -> jax.Array:
        """Encode samples [B, L] -> vectors float32 [B, N, K, D]; a group's 4 frames are frame-major."""
        return self.latent_of_frames(analyse(x, self.config), train=train)[0]

    def reconstruct(self, values: jax.Array, length: int, *, train: bool = False) -> jax.Array:
        """Decode vectors [B, N, K, D], quantised or not -> samples float32 [B, length]."""
        cfg = self.config
        available = (values.shape[1] * cfg.frames_per_token - 1) * cfg.hop
        if length > available:
            raise ValueError(
                f"{values.shape[1]} token frames give {available} samples, not {length}"
            )
        return synthesise(self.frames_of(values, train=train)[0], cfg)[:, :length]

    def latent_of_frames(
        self, features: jax.Array, memory: EncoderMemory | None = None, *, train: bool = False
    ) -> tuple[jax.Array, EncoderMemory]:
        """Encode compressed STFT [B, T, F, 2] of whole token frames -> vectors [B, N, K, D], memory."""
        cfg = self.config
        features, memory = self.encoder(features, memory, train=train)
        frames = self.project_in(features).astype(jnp.float32)
        vectors = rearrange(
            frames, "b (n m) (k d) -> b n k (m d)", m=cfg.frames_per_token, k=cfg.groups
        )
        return vectors, memory

    def frames_of(
        self, values: jax.Array, memory: DecoderMemory | None = None, *, train: bool = False
    ) -> tuple[jax.Array, DecoderMemory]:
        """Decode vectors [B, N, K, D] -> compressed STFT [B, T, F, 2] and the memory."""
        m = self.config.frames_per_token
        frames = rearrange(values, "b n k (m d) -> b (n m) (k d)", m=m)
        return self.decoder(self.project_out(frames), memory, train=train)

    def _linear(self, features: int) -> nn.Dense:
        return nn.Dense(features, use_bias=False, kernel_init=xavier, dtype=self.dtype)
