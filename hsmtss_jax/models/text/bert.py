"""BERT encoder stack (Devlin et al. 2019): post-LN, learned positions, exact GELU.

Also the architecture of MiniLM sentence encoders (Wang et al. 2020).

Legend: B batch, N tokens, C width, L layers.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from einops import rearrange

from hsmtss_jax.nn.attention import MultiHeadAttention


class BertLayer(nn.Module):
    """Apply self-attention and feed-forward, each followed by LayerNorm. Shaped for ``nn.scan``."""

    heads: int
    mlp: int
    norm_eps: float
    dtype: Any = jnp.float32

    def _norm(self, x: jax.Array, name: str) -> jax.Array:
        norm = nn.LayerNorm(epsilon=self.norm_eps, dtype=jnp.float32, name=name)
        return norm(x).astype(self.dtype)

    @nn.compact
    def __call__(self, x: jax.Array, mask: jax.Array) -> tuple[jax.Array, None]:
        """Transform x [B, N, C] with mask bool [B, 1, 1, N] -> ([B, N, C], None)."""
        attention = MultiHeadAttention(heads=self.heads, dtype=self.dtype, name="attention")
        x = self._norm(x + attention(x, mask=mask).out, "attention_norm")
        y = nn.Dense(self.mlp, dtype=self.dtype, name="up")(x)
        y = nn.Dense(x.shape[-1], dtype=self.dtype, name="down")(nn.gelu(y, approximate=False))
        return self._norm(x + y, "mlp_norm"), None


class BertStack(nn.Module):
    """Add position and segment embeddings, apply LayerNorm and L scanned layers. Only one segment is used."""

    depth: int
    heads: int
    mlp: int
    max_positions: int = 512
    segments: int = 2
    norm_eps: float = 1e-12
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, mask: jax.Array) -> jax.Array:
        """Encode embedded tokens x [B, N, C] with mask bool [B, N], True = token -> [B, N, C].

        Raises:
          ValueError: N exceeds ``max_positions``.
        """
        length, width = x.shape[1:]
        if length > self.max_positions:
            raise ValueError(f"{length} tokens, but the text encoder has {self.max_positions}")
        position = nn.Embed(self.max_positions, width, name="position")(jnp.arange(length))
        segment = nn.Embed(self.segments, width, name="segment")(jnp.zeros(1, jnp.int32))
        x = x.astype(jnp.float32) + (position + segment)[None]
        x = nn.LayerNorm(epsilon=self.norm_eps, dtype=jnp.float32, name="norm")(x)
        layers = nn.scan(
            BertLayer,
            variable_axes={"params": 0},
            split_rngs={"params": True},
            in_axes=nn.broadcast,
            length=self.depth,
        )(self.heads, self.mlp, self.norm_eps, self.dtype, name="layers")
        x, _ = layers(x.astype(self.dtype), rearrange(mask, "b n -> b 1 1 n"))
        return x
