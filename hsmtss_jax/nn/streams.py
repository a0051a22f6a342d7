"""Token streams: project inputs of different kinds into one self-attention sequence.

HSM-TSS section III-F concatenates them: [T_task, T_cap, G_mix, S_mix].

Legend: B batch, N tokens, C input width, D model width.
"""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

INIT = nn.initializers.truncated_normal(0.02)


class Stream(nn.Module):
    """Apply LayerNorm, Dense C -> D, and add a segment embedding and optional position embeddings.

    width: D. positions: number of position embeddings; 0 for a stream without positions.
    """

    width: int
    positions: int = 0
    norm_eps: float = 1e-6
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, mask: jax.Array | None = None) -> jax.Array:
        """Project x [B, N, C] with mask bool [B, N], True = valid -> [B, N, D].

        Padded rows are replaced by zeros first, so their content (NaN included) has no effect.

        Raises:
          ValueError: N exceeds the number of positions.
        """
        if self.positions and x.shape[1] > self.positions:
            raise ValueError(
                f"{x.shape[1]} tokens in {self.name!r}, which has {self.positions} positions: "
                "shorten the text or train with more"
            )
        if mask is not None:
            x = jnp.where(mask[:, :, None], x, 0.0)
        x = nn.LayerNorm(epsilon=self.norm_eps, dtype=self.dtype, name="norm")(x)
        x = nn.Dense(self.width, dtype=self.dtype, kernel_init=INIT, name="project")(x)
        code = self.param("segment_embedding", INIT, (1, self.width))
        if self.positions:
            table = self.param("position_embedding", INIT, (self.positions, self.width))
            code = code + table[: x.shape[1]]
        return x + code[None, :, :].astype(x.dtype)


def key_mask(masks: Sequence[jax.Array]) -> jax.Array:
    """Join masks of consecutive streams, each bool [B, N_i] -> attention mask [B, 1, 1, sum N_i]."""
    return jnp.concatenate(masks, axis=1)[:, None, None, :]


def all_valid(x: jax.Array) -> jax.Array:
    """Return the mask of a stream without padding: x [B, N, C] -> True [B, N]."""
    return jnp.ones(x.shape[:2], bool)
