"""The local-semantic separator H2 (HSM-TSS paper, section III-D): (S_mix, text, task, G) -> S_hat.

One transformer over ``[ T_task | T_cap | G | S_mix ]``; the patch slots are read out. G is a token of
the same self-attention, so its attention over the patches can be drawn (the paper's Fig. 6).

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
    """Sizes of the local separator: the paper's 12 layers of 768 with 8 heads over 64 x 8 patches."""

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
        """P."""
        return self.time_patches * self.freq_patches

    @property
    def transformer(self) -> TransformerConfig:
        """The stack's config."""
        return TransformerConfig(
            width=self.width,
            depth=self.depth,
            heads=self.heads,
            dropout=self.dropout,
            remat=self.remat,
        )

    def make(self, dtype: Any = jnp.float32) -> "LocalSeparator":
        """The module, computing in ``dtype``."""
        return LocalSeparator(config=self, dtype=dtype)


@flax.struct.dataclass
class LocalOutput:
    """s_hat: [B, P, Ca], float32. attention: the last layer's weights [B, H, n, n], if asked for."""

    s_hat: jax.Array
    attention: jax.Array | None = None

    def global_attention(self) -> jax.Array:
        """How the G token attends to the patches: [B, H, P]. Needs ``return_attention=True``."""
        if self.attention is None:
            raise ValueError("no attention weights here: call with return_attention=True")
        patches = self.s_hat.shape[1]
        return self.attention[:, :, -patches - 1, -patches:]


class Standardiser(nn.Module):
    """(mean, std) of S, each [Ca]. They are counted, not learnt: no gradient reaches them."""

    width: int

    @nn.compact
    def __call__(self) -> tuple[jax.Array, jax.Array]:
        mean = self.param("mean", nn.initializers.zeros, (self.width,))
        std = self.param("std", nn.initializers.ones, (self.width,))
        return jax.lax.stop_gradient(mean), jax.lax.stop_gradient(std)


class LocalSeparator(nn.Module):
    """Non-autoregressive: one forward pass gives all patches of the target."""

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
        """s_mix: [B, P, Ca]; g: [B, 1, Cg]; t_cap: [B, N, Cg]; t_task: [B, L, Ct]; masks: bool.

        g None drops the token (the paper's single-stage ablation). Raises ValueError when the number
        of patches is not the config's, or the text is longer than max_text.
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
