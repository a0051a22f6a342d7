"""Local-semantic separator H2 (HSM-TSS section III-D): (S_mix, text, task, G) -> S_hat.

One transformer over ``[ T_task | T_cap | G | S_mix ]``; the patch slots are read out. G is a token of
the same self-attention, so its attention over the patches can be plotted (the paper's Fig. 6).

Legend: B batch, L task tokens, N text tokens, P = time x freq patches, D width, H heads,
n = all tokens, Ca width of S, Cg width of G and T_cap, Ct width of T_task.
"""

import dataclasses
from typing import Any

import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp

from hsmtss_jax.config import Inherited
from hsmtss_jax.nn.positions import sincos_2d
from hsmtss_jax.nn.streams import INIT, Stream, all_valid, key_mask
from hsmtss_jax.nn.transformer import Transformer, TransformerConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class LocalSeparatorConfig:
    """Configure the local separator: the paper's 12 layers of 768 with 8 heads over 64 x 8 patches."""

    width: int = 768
    depth: int = 12
    heads: int = 8
    dropout: float = 0.1
    audio_width: Inherited = 768  # Ca: AudioMAE's
    time_patches: Inherited = 64
    freq_patches: Inherited = 8
    max_text: int = 65  # learned positions: [CLS] and the caption's tokens
    max_task: int = 4
    residual: bool = False  # predict S_hat - S_mix; the paper predicts S_hat
    standardise: bool = (
        False  # see S in units of its running mean and deviation, channel by channel
    )
    remat: bool = False

    @property
    def patches(self) -> int:
        """Return P."""
        return self.time_patches * self.freq_patches

    @property
    def transformer(self) -> TransformerConfig:
        """Return the config of the transformer stack."""
        return TransformerConfig(
            width=self.width,
            depth=self.depth,
            heads=self.heads,
            dropout=self.dropout,
            remat=self.remat,
        )

    def make(self, dtype: Any = jnp.float32) -> "LocalSeparator":
        """Create the module with compute dtype ``dtype``."""
        return LocalSeparator(config=self, dtype=dtype)


@flax.struct.dataclass
class LocalOutput:
    """Hold the prediction.

    s_hat: [B, P, Ca], float32. attention: the last layer's weights [B, H, n, n], if requested.
    """

    s_hat: jax.Array
    attention: jax.Array | None = None

    def global_attention(self) -> jax.Array:
        """Return the attention of the G token to the patches: [B, H, P]. Needs ``return_attention=True``."""
        if self.attention is None:
            raise ValueError("no attention weights here: call with return_attention=True")
        patches = self.s_hat.shape[1]
        return self.attention[:, :, -patches - 1, -patches:]


class Standardiser(nn.Module):
    """Hold (mean, std) of S, each [Ca]: running statistics without gradient."""

    width: int

    @nn.compact
    def __call__(self) -> tuple[jax.Array, jax.Array]:
        mean = self.param("mean", nn.initializers.zeros, (self.width,))
        std = self.param("std", nn.initializers.ones, (self.width,))
        return jax.lax.stop_gradient(mean), jax.lax.stop_gradient(std)


class LocalSeparator(nn.Module):
    """Predict all patches of the target in one forward pass (non-autoregressive)."""

    config: LocalSeparatorConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self,
        s_mix: jax.Array,
        g: jax.Array | None,
        t_cap: jax.Array,
        t_cap_mask: jax.Array,
        t_task: jax.Array,
        t_task_mask: jax.Array,
        *,
        train: bool = False,
        return_attention: bool = False,
    ) -> LocalOutput:
        """Predict S_hat float32 [B, P, Ca].

        Args:
          s_mix: local features of the mixture [B, P, Ca].
          g: global feature of the target [B, 1, Cg]; None drops the token (the single-stage ablation).
          t_cap: text features [B, N, Cg].
          t_cap_mask: bool [B, N], True = valid.
          t_task: task features [B, L, Ct].
          t_task_mask: bool [B, L], True = valid.
          train: enable dropout.
          return_attention: also return the last layer's attention weights.

        Raises:
          ValueError: the number of patches is not the config's, or the text is longer than max_text.
        """
        cfg = self.config
        if s_mix.shape[1] != cfg.patches:
            raise ValueError(f"{s_mix.shape[1]} patches given, the config has {cfg.patches}")
        source = s_mix.astype(jnp.float32)
        if cfg.standardise:
            mean, std = Standardiser(cfg.audio_width, name="standardiser")()
            source = (source - mean[None, None, :]) / std[None, None, :]
        tokens = [
            Stream(cfg.width, cfg.max_task, dtype=self.dtype, name="task")(t_task, t_task_mask),
            Stream(cfg.width, cfg.max_text, dtype=self.dtype, name="text")(t_cap, t_cap_mask),
        ]
        masks = [t_task_mask, t_cap_mask]
        if g is not None:
            tokens.append(Stream(cfg.width, dtype=self.dtype, name="global")(g))
            masks.append(all_valid(g))
        grid = sincos_2d(cfg.time_patches, cfg.freq_patches, cfg.width)
        patches = Stream(cfg.width, dtype=self.dtype, name="mixture")(source)
        tokens.append(patches + jnp.asarray(grid, patches.dtype)[None, :, :])
        masks.append(all_valid(s_mix))

        x = nn.Dropout(cfg.dropout, deterministic=not train)(jnp.concatenate(tokens, axis=1))
        stack = Transformer(cfg.transformer, self.dtype, name="transformer")
        result = stack(x, mask=key_mask(masks), train=train, return_weights=return_attention)
        out = nn.Dense(cfg.audio_width, dtype=self.dtype, kernel_init=INIT, name="out")(
            result.x[:, -cfg.patches :]
        ).astype(jnp.float32)
        if cfg.residual:
            out = out + source
        if cfg.standardise:
            out = out * std[None, None, :] + mean[None, None, :]
        return LocalOutput(s_hat=out, attention=result.weights)
