"""Global-semantic separator H1 (HSM-TSS section III-C): (G_mix, text, task) -> G_hat.

One transformer over ``[ T_task | T_cap | G_mix ]``, read out at the G_mix slot.

Legend: B batch, L task tokens, N text tokens, D width, Cg width of G and T_cap, Ct width of T_task.
"""

import dataclasses
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from hsmtss_jax.config import Inherited
from hsmtss_jax.nn.streams import INIT, Stream, all_valid, key_mask
from hsmtss_jax.nn.transformer import Transformer, TransformerConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class GlobalSeparatorConfig:
    """Configure the global separator; the paper fixes the depth, the rest follows the local one."""

    width: int = 768
    depth: int = 6
    heads: int = 8
    dropout: float = 0.1
    global_width: Inherited = 768  # Cg: Q-Audio's
    max_text: int = 65  # learned positions: [CLS] and the caption's tokens
    max_task: int = 4
    remat: bool = False

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

    def make(self, dtype: Any = jnp.float32) -> "GlobalSeparator":
        """Create the module with compute dtype ``dtype``."""
        return GlobalSeparator(config=self, dtype=dtype)


class GlobalSeparator(nn.Module):
    """Predict the target's global feature in one forward pass (non-autoregressive)."""

    config: GlobalSeparatorConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self,
        g_mix: jax.Array,
        t_cap: jax.Array,
        t_cap_mask: jax.Array,
        t_task: jax.Array,
        t_task_mask: jax.Array,
        *,
        train: bool = False,
    ) -> jax.Array:
        """Predict G_hat float32 [B, 1, Cg].

        Args:
          g_mix: global feature of the mixture [B, 1, Cg].
          t_cap: text features [B, N, Cg].
          t_cap_mask: bool [B, N], True = valid.
          t_task: task features [B, L, Ct].
          t_task_mask: bool [B, L], True = valid.
          train: enable dropout.

        Raises:
          ValueError: the text is longer than max_text.
        """
        cfg = self.config
        tokens = [
            Stream(cfg.width, cfg.max_task, dtype=self.dtype, name="task")(t_task, t_task_mask),
            Stream(cfg.width, cfg.max_text, dtype=self.dtype, name="text")(t_cap, t_cap_mask),
            Stream(cfg.width, dtype=self.dtype, name="mixture")(g_mix),
        ]
        mask = key_mask([t_task_mask, t_cap_mask, all_valid(g_mix)])
        x = jnp.concatenate(tokens, axis=1)
        x = nn.Dropout(cfg.dropout, deterministic=not train)(x)
        stack = Transformer(cfg.transformer, self.dtype, name="transformer")
        x = stack(x, mask=mask, train=train).x[:, -1:]
        out = nn.Dense(cfg.global_width, dtype=self.dtype, kernel_init=INIT, name="out")(x)
        return out.astype(jnp.float32)
