"""Multi-scale mel discriminator of UniAudio's codec (Yang et al. 2023).

HSM-TSS section III-E replaces TF-Codec's single-scale discriminator by it.

Legend: B batch, L samples, T frames, M mel bands, H frames and W bands of a feature map, C channels.
"""

import dataclasses
from typing import Any

import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.audio.mel import mel_filterbank
from hsmtss_jax.audio.stft import power, stft

_STRIDES = (1, 2, 1, 2, 1, 2, 1)
_DIVISORS = (32, 16, 8, 4, 2, 1)  # channels of the first six layers are hidden // divisor


@dataclasses.dataclass(frozen=True, kw_only=True)
class DiscriminatorConfig:
    """Configure one branch per hop, each with its widest layer; the defaults are 5,256,372 parameters."""

    hops: tuple[int, ...] = (32, 64, 128, 256, 512, 1024)  # windows are four hops
    hidden: tuple[int, ...] = (64, 128, 256, 512, 512, 512)
    sample_rate: int = SAMPLE_RATE

    def make(self, dtype: Any = jnp.float32) -> "MelDiscriminator":
        """Create the module with compute dtype ``dtype``.

        Raises:
          ValueError: hops and hidden differ in number or a width is below 32.
        """
        if len(self.hops) != len(self.hidden):
            raise ValueError(f"{len(self.hops)} hops need as many hidden widths: {self.hidden}")
        if min(self.hidden) < _DIVISORS[0]:
            raise ValueError(f"hidden widths {self.hidden} must be at least {_DIVISORS[0]}")
        return MelDiscriminator(config=self, dtype=dtype)


@flax.struct.dataclass
class Judgement:
    """Hold the branches' outputs for a batch, one entry per branch.

    scores: float32 [B, H, W], 1 = real. features: the six feature maps [B, H, W, C] of each branch.
    """

    scores: tuple[jax.Array, ...]
    features: tuple[tuple[jax.Array, ...], ...]


def mel_image(x: jax.Array, hop: int, sample_rate: int) -> jax.Array:
    """Compute mel magnitudes and their level mapped to [0, 1], as channels: [B, L] -> [B, T, M, 2].

    As many mel bands as bins; filter values are at least 1e-6. Needs L > 2 * hop.
    """
    n_fft = 4 * hop
    spectrum = stft(x, n_fft, hop, pad_mode="reflect") * np.float32(n_fft**-0.5)
    magnitude = jnp.sqrt(jnp.maximum(power(spectrum), 1e-7))
    filters = mel_filterbank(n_fft // 2 + 1, n_fft, sample_rate, 0.0, sample_rate / 2, "htk")
    mel = magnitude @ np.maximum(filters, np.float32(1e-6))
    level = (20.0 * jnp.log10(mel) - 20.0 + 100.0) / 100.0
    return jnp.stack([mel, jnp.clip(level, 0.0, 1.0)], axis=-1)


class WeightNormConv(nn.Module):
    """Apply a 3 x 3 convolution with reflected border, kernel = gain * direction / |direction| per output."""

    features: int
    stride: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        shape = (3, 3, x.shape[-1], self.features)
        init = nn.initializers.variance_scaling(1.0 / 3.0, "fan_in", "uniform")  # PyTorch's
        direction = self.param("direction", init, shape, jnp.float32)
        norm = jnp.sqrt(jnp.sum(direction**2, axis=(0, 1, 2)))
        gain = self.param("gain", lambda _: norm)
        bias = self.param("bias", nn.initializers.zeros_init(), (self.features,), jnp.float32)
        kernel = (direction * (gain / norm)[None, None, None, :]).astype(self.dtype)
        x = jnp.pad(x.astype(self.dtype), ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
        strides = (self.stride, self.stride)
        layout = ("NHWC", "HWIO", "NHWC")
        y = jax.lax.conv_general_dilated(x, kernel, strides, "VALID", dimension_numbers=layout)
        return y + bias.astype(self.dtype)[None, None, None, :]


class Branch(nn.Module):
    """Run one scale: mel image [B, T, M, 2] -> (scores [B, H, W], six feature maps).

    Features are taken after the LeakyReLU: the reference project stores them before it, but its
    activation works in place.
    """

    hidden: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array) -> tuple[jax.Array, tuple[jax.Array, ...]]:
        features = []
        for i, divisor in enumerate(_DIVISORS):
            conv = WeightNormConv(
                self.hidden // divisor, _STRIDES[i], dtype=self.dtype, name=f"conv{i}"
            )
            x = nn.leaky_relu(conv(x), 0.2)
            features.append(x)
        score = WeightNormConv(1, _STRIDES[6], dtype=self.dtype, name="conv6")(x)
        return score[..., 0].astype(jnp.float32), tuple(features)


class MelDiscriminator(nn.Module):
    """Judge samples [B, L] -> Judgement."""

    config: DiscriminatorConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array) -> Judgement:
        cfg = self.config
        verdicts = [
            Branch(hidden, dtype=self.dtype, name=f"hop{hop}")(mel_image(x, hop, cfg.sample_rate))
            for hop, hidden in zip(cfg.hops, cfg.hidden, strict=True)
        ]
        scores, features = zip(*verdicts, strict=True)
        return Judgement(scores=tuple(scores), features=tuple(features))
