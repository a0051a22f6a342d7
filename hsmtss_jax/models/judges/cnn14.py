"""PANNs Cnn14 (Kong et al. 2020), the audio tagger behind the paper's KL.

Six blocks of two 3x3 convolutions, the mean over mel bands, maximum plus mean over time. Frames behind
a sound's own end are zeros to every convolution, as its edge is, so that padding changes nothing.

Legend: B batch, T frames, M mel bands, C channels.
"""

import dataclasses
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from hsmtss_jax.models.judges.judgement import Judgement


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cnn14Config:
    """Configure Cnn14; defaults are the published network's. width: of the embedding."""

    channels: tuple[int, ...] = (64, 128, 256, 512, 1024, 2048)
    n_mels: int = 64
    width: int = 2048
    classes: int = 527

    @property
    def shortest(self) -> int:
        """Return the fewest frames of which one is left behind the poolings."""
        return 2 ** (len(self.channels) - 1)

    def make(self, dtype: Any = jnp.float32) -> "Cnn14":
        """Create the module with compute dtype ``dtype``."""
        return Cnn14(config=self, dtype=dtype)


class ConvBlock(nn.Module):
    """Apply two 3x3 convolutions, each with BatchNorm and ReLU."""

    channels: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, frames: jax.Array) -> jax.Array:
        """Transform x [B, T, M, C'] of ``frames`` [B] -> [B, T, M, C]."""
        for i in (1, 2):
            conv = nn.Conv(self.channels, (3, 3), use_bias=False, dtype=self.dtype, name=f"conv{i}")
            x = nn.relu(_norm(self.dtype, f"norm{i}")(conv(_cut(x, frames))))
        return x


class Cnn14(nn.Module):
    """Tag log-mel spectrograms."""

    config: Cnn14Config
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, log_mel: jax.Array, frames: jax.Array) -> Judgement:
        """Tag log_mel [B, T, M] in dB, whose first ``frames`` [B] (>= ``shortest``) are the sound's."""
        cfg = self.config
        x = _norm(self.dtype, "bands_norm")(log_mel.astype(self.dtype))[..., None]
        for i, channels in enumerate(cfg.channels):
            if i:
                x, frames = nn.avg_pool(x, (2, 2), (2, 2)), frames // 2
            x = ConvBlock(channels, self.dtype, name=f"block{i}")(x, frames)
        x = x.astype(jnp.float32).mean(axis=2)
        inside = _inside(x, frames)
        loudest = jnp.where(inside, x, -jnp.inf).max(axis=1)
        mean = jnp.where(inside, x, 0.0).sum(axis=1) / frames[:, None]
        embedding = nn.relu(nn.Dense(cfg.width, name="embedding")(loudest + mean))
        return Judgement(nn.Dense(cfg.classes, name="classifier")(embedding), embedding)


def _norm(dtype: Any, name: str) -> nn.BatchNorm:
    return nn.BatchNorm(use_running_average=True, epsilon=1e-5, dtype=dtype, name=name)


def _inside(x: jax.Array, frames: jax.Array) -> jax.Array:
    """Return which frames of x [B, T, ...] are a sound's own, [B, T, 1, ...]."""
    inside = jnp.arange(x.shape[1])[None, :] < frames[:, None]
    return inside.reshape(*inside.shape, *[1] * (x.ndim - 2))


def _cut(x: jax.Array, frames: jax.Array) -> jax.Array:
    return jnp.where(_inside(x, frames), x, 0)
