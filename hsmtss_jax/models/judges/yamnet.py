"""YAMNet (AudioSet, 521 classes): MobileNet v1 on patches of log-mel, its norms folded into convolutions.

Legend: B patches, T = 96 frames, M = 64 mel bands, C channels.
"""

import dataclasses
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from hsmtss_jax.models.judges.judgement import Judgement


@dataclasses.dataclass(frozen=True, kw_only=True)
class YAMNetConfig:
    """Configure YAMNet; defaults are the published network's.

    stem: channels of the first convolution, of stride 2. blocks: (channels, stride) of the separable ones.
    """

    stem: int = 32
    blocks: tuple[tuple[int, int], ...] = (
        *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
        *((512, 1),) * 5,
        *((1024, 2), (1024, 1)),
    )
    frames: int = 96
    n_mels: int = 64
    classes: int = 521

    def make(self, dtype: Any = jnp.float32) -> "YAMNet":
        """Create the module with compute dtype ``dtype``."""
        return YAMNet(config=self, dtype=dtype)


class YAMNet(nn.Module):
    """Tag patches of log-mel."""

    config: YAMNetConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, patches: jax.Array) -> Judgement:
        """Tag patches [B, T, M]; the embedding is the mean over what is left of time and frequency."""
        cfg = self.config
        x = self._conv(patches[..., None].astype(self.dtype), cfg.stem, 3, 2, "stem")
        for i, (channels, stride) in enumerate(cfg.blocks):
            x = self._conv(x, x.shape[-1], 3, stride, f"depthwise{i}", groups=x.shape[-1])
            x = self._conv(x, channels, 1, 1, f"pointwise{i}")
        embedding = x.astype(jnp.float32).mean(axis=(1, 2))
        return Judgement(nn.Dense(cfg.classes, name="classifier")(embedding), embedding)

    def _conv(
        self, x: jax.Array, channels: int, size: int, stride: int, name: str, groups: int = 1
    ) -> jax.Array:
        conv = nn.Conv(
            channels,
            (size, size),
            strides=stride,
            padding="SAME",
            feature_group_count=groups,
            dtype=self.dtype,
            name=name,
        )
        return nn.relu(conv(x))
