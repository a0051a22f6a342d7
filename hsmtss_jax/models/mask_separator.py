"""Baseline of text-queried separation: a residual U-Net that masks the STFT, conditioned on the query.

The network of AudioSep (ResUNet30, Liu et al. 2023; LASS-Net before it): 30 3x3 convolutions, in every
block a shift of each channel computed from the query (FiLM without a gain), a mask of magnitude and a
rotation of phase. At 16 kHz its windows keep their duration: 64 ms, every 10 ms. AudioSep's own network,
whose public weights ``hsmtss import audiosep`` reads, is that of ``audiosep()``.

Legend: B batch, L samples, T frames, F bins, C channels, E width of the query.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.audio.stft import istft, magnitude, stft
from hsmtss_jax.nn.apply import apply
from hsmtss_jax.task import Task

_XAVIER = nn.initializers.xavier_uniform()
_SLOPE = 0.01  # of the leaky ReLU
_EPS = 1e-10


@dataclasses.dataclass(frozen=True, kw_only=True)
class MaskSeparatorConfig:
    """Configure the U-Net; channels as in the reference project. The last level halves frequency alone.

    sample_rate: of the waveforms [Hz]. n_fft, hop: of the STFT [samples].
    """

    channels: tuple[int, ...] = (32, 64, 128, 256, 384, 384)
    sample_rate: int = SAMPLE_RATE
    n_fft: int = 1024
    hop: int = 160

    @property
    def strides(self) -> tuple[tuple[int, int], ...]:
        """Return the downsampling of each level in (time, frequency)."""
        return (*((2, 2),) * (len(self.channels) - 1), (1, 2))

    @property
    def time_multiple(self) -> int:
        """Return the number of frames that inputs are padded to a multiple of."""
        return 2 ** (len(self.channels) - 1)

    def make(self, dtype: Any = jnp.float32) -> "MaskSeparator":
        """Create the module with compute dtype ``dtype``. ValueError: the bins cannot be halved so often."""
        if (self.n_fft // 2) % 2 ** len(self.channels):
            raise ValueError(
                f"n_fft={self.n_fft} gives {self.n_fft // 2} bins, which cannot be halved "
                f"{len(self.channels)} times"
            )
        return MaskSeparator(config=self, dtype=dtype)


def audiosep() -> MaskSeparatorConfig:
    """Return the config of AudioSep's public network; with CLAP's queries it has 25,623,941 parameters."""
    return MaskSeparatorConfig(sample_rate=32_000, n_fft=2048, hop=320)


class Shifted(nn.Module):
    """Apply BatchNorm, a shift of every channel by the query and leaky ReLU, before a convolution."""

    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, query: jax.Array, *, train: bool = False) -> jax.Array:
        """Normalise and shift x [B, T, F, C] by query [B, E]."""
        y = _batch_norm(self.dtype, "norm", train)(x)
        shift = nn.Dense(x.shape[-1], dtype=self.dtype, kernel_init=_XAVIER, name="shift")(query)
        return nn.leaky_relu(y + shift[:, None, None, :], _SLOPE)


class ResidualBlock(nn.Module):
    """Apply two 3x3 convolutions with a shortcut."""

    channels: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, query: jax.Array, *, train: bool = False) -> jax.Array:
        """Transform x [B, T, F, C'], query [B, E] -> [B, T, F, C]."""
        y = x
        for name in ("first", "second"):
            y = Shifted(self.dtype, name=f"{name}_input")(y, query, train=train)
            y = _conv(self.channels, 3, self.dtype, name, use_bias=False)(y)
        if x.shape[-1] != self.channels:
            x = _conv(self.channels, 1, self.dtype, "shortcut")(x)
        return x + y


class DecoderBlock(nn.Module):
    """Upsample by a transposed convolution, concatenate the skip connection, apply a residual block."""

    channels: int
    stride: tuple[int, int]
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, x: jax.Array, skip: jax.Array, query: jax.Array, *, train: bool = False
    ) -> jax.Array:
        """Transform x [B, T', F', C'], skip [B, T, F, C], query [B, E] -> [B, T, F, C]."""
        y = Shifted(self.dtype, name="up_input")(x, query, train=train)
        y = nn.ConvTranspose(
            self.channels,
            self.stride,
            strides=self.stride,
            padding="VALID",
            use_bias=False,
            dtype=self.dtype,
            kernel_init=_XAVIER,
            name="up",
        )(y)
        y = jnp.concatenate([y, skip.astype(y.dtype)], axis=-1)
        return ResidualBlock(self.channels, self.dtype, name="block")(y, query, train=train)


class MaskSeparator(nn.Module):
    """Separate the described sound from a mixture of any length."""

    config: MaskSeparatorConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, mixture: jax.Array, query: jax.Array, *, train: bool = False) -> jax.Array:
        """Separate mixture [B, L] of more than n_fft / 2 samples by query [B, E] -> float32 [B, L]."""
        cfg = self.config
        z = stft(mixture, cfg.n_fft, cfg.hop, pad_mode="reflect")
        x = _batch_norm(self.dtype, "bins_norm", train)(magnitude(z).astype(self.dtype))
        frames = x.shape[1]
        x = jnp.pad(x[:, :, :-1], ((0, 0), (0, -frames % cfg.time_multiple), (0, 0)))[..., None]
        y = self._unet(x, query.astype(self.dtype), train)
        out = _conv(3, 1, self.dtype, "out")(y)[:, :frames].astype(jnp.float32)
        gain = nn.sigmoid(out[..., 0])
        real, imaginary = jnp.tanh(out[..., 1]), jnp.tanh(out[..., 2])
        turn = jax.lax.complex(real, imaginary) / jnp.sqrt(real**2 + imaginary**2 + _EPS)
        masked = z[:, :, :-1] * gain * turn
        masked = jnp.pad(masked, ((0, 0), (0, 0), (0, 1)))  # the highest bin has no mask
        # not centred: the last frame's second half reaches the samples behind its centre
        whole = istft(masked, cfg.n_fft, cfg.hop, center=False)
        begin = cfg.n_fft // 2
        return whole[:, begin : begin + mixture.shape[1]]

    def _unet(self, x: jax.Array, query: jax.Array, train: bool) -> jax.Array:
        """Run the U-Net: [B, T, F, 1] -> [B, T, F, C]."""
        cfg = self.config
        levels = list(zip(cfg.channels, cfg.strides, strict=True))
        x = _conv(cfg.channels[0], 1, self.dtype, "in")(x)
        skips = []
        for i, (channels, stride) in enumerate(levels):
            x = ResidualBlock(channels, self.dtype, name=f"encoder_{i}")(x, query, train=train)
            skips.append(x)
            x = nn.avg_pool(x, stride, strides=stride)
        x = ResidualBlock(cfg.channels[-1], self.dtype, name="middle")(x, query, train=train)
        for i, (channels, stride) in reversed(list(enumerate(levels))):
            block = DecoderBlock(channels, stride, self.dtype, name=f"decoder_{i}")
            x = block(x, skips[i], query, train=train)
        return x


def _batch_norm(dtype: Any, name: str, train: bool) -> nn.BatchNorm:
    """Create a BatchNorm over all but the last axis, with momentum 0.99 as in the reference."""
    return nn.BatchNorm(
        use_running_average=not train, momentum=0.99, epsilon=1e-5, dtype=dtype, name=name
    )


def _conv(channels: int, size: int, dtype: Any, name: str, *, use_bias: bool = True) -> nn.Conv:
    return nn.Conv(
        channels,
        (size, size),
        use_bias=use_bias,
        dtype=dtype,
        kernel_init=_XAVIER,
        name=name,
    )


def of_task(described: jax.Array, mixture: jax.Array, task: jax.Array) -> jax.Array:
    """Select the described sound [B, L], or the mixture without it, by task int [B]."""
    return jnp.where(task[:, None] == Task.EXTRACT.number, described, mixture - described)


def separate_masked(
    config: MaskSeparatorConfig,
    variables: Mapping[str, Any],
    mixture: jax.Array,
    query: jax.Array,
    task: jax.Array,
    dtype: Any = jnp.float32,
) -> jax.Array:
    """Separate mixtures [B, L] by queries [B, E] and task numbers [B] -> waveforms [B, L].

    Args:
      config: of the U-Net.
      variables: its ``params`` and ``batch_stats``.
      mixture: [B, L].
      query: [B, E], see ``models.text.query``.
      task: int [B], place in ``TASKS``.
      dtype: compute dtype.
    """
    described = apply(config.make(dtype), variables, mixture, query, out=jax.Array)
    return of_task(described, mixture, task)
