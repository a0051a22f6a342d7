"""T5 v1.1 / FLAN-T5 encoder stack (Raffel et al. 2020; Shazeer 2020 for the gated feed-forward).

Differences from other transformers: RMSNorm before each block, no biases, attention logits are
*not* divided by sqrt(E), and all layers share one relative position bias.

Legend: B batch, N tokens, H heads, E head width, C width, L layers.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from einops import rearrange

from hsmtss_jax.nn.attention import dot_product_attention


def relative_buckets(length: int, buckets: int, max_distance: int) -> np.ndarray:
    """Compute the bidirectional bucket of (key - query) for every pair: int32 [length, length].

    Half of the buckets are for each sign. In a half, the first half holds exact distances and the
    rest grows logarithmically up to ``max_distance``.
    """
    offset = np.arange(length)[None, :] - np.arange(length)[:, None]
    half = buckets // 2
    exact = half // 2
    distance = np.abs(offset)
    # float32, as the reference computes it: bucket edges depend on the rounding.
    ratio = np.log(np.maximum(distance, 1).astype(np.float32) / np.float32(exact))
    ratio = ratio / np.float32(np.log(max_distance / exact)) * np.float32(half - exact)
    logarithmic = np.minimum(exact + ratio.astype(np.int32), half - 1)
    bucket = np.where(distance < exact, distance, logarithmic)
    return (bucket + np.where(offset > 0, half, 0)).astype(np.int32)


class T5Layer(nn.Module):
    """Apply self-attention and gated GELU feed-forward, pre-RMSNorm. Shaped for ``nn.scan``."""

    heads: int
    head_dim: int
    mlp: int
    norm_eps: float
    dtype: Any = jnp.float32

    def _dense(self, width: int, name: str) -> nn.Dense:
        return nn.Dense(width, use_bias=False, dtype=self.dtype, name=name)

    def _norm(self, x: jax.Array, name: str) -> jax.Array:
        norm = nn.RMSNorm(epsilon=self.norm_eps, dtype=jnp.float32, name=name)
        return norm(x).astype(self.dtype)

    @nn.compact
    def __call__(self, x: jax.Array, mask: jax.Array, bias: jax.Array) -> tuple[jax.Array, None]:
        """Transform x [B, N, C] with mask bool [B, 1, 1, N], bias [1, H, N, N] -> ([B, N, C], None)."""
        width = x.shape[-1]
        y = self._norm(x, "attention_norm")
        q, k, v = (
            rearrange(
                self._dense(self.heads * self.head_dim, name)(y),
                "b n (h e) -> b n h e",
                h=self.heads,
            )
            for name in ("query", "key", "value")
        )
        q = q * self.head_dim**0.5  # undoes the shared primitive's 1 / sqrt(E): T5 has none
        attended = dot_product_attention(q, k, v, mask, bias)
        x = x + self._dense(width, "out")(rearrange(attended, "b n h e -> b n (h e)"))
        y = self._norm(x, "mlp_norm")
        gate = nn.gelu(self._dense(self.mlp, "gate")(y), approximate=True)
        return x + self._dense(width, "down")(gate * self._dense(self.mlp, "up")(y)), None


class T5Stack(nn.Module):
    """Apply L scanned layers with one shared relative position bias, then RMSNorm."""

    depth: int
    heads: int
    head_dim: int
    mlp: int
    buckets: int = 32
    max_distance: int = 128
    norm_eps: float = 1e-6
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, mask: jax.Array) -> jax.Array:
        """Encode embedded tokens x [B, N, C] with mask bool [B, N], True = token -> [B, N, C]."""
        buckets = relative_buckets(x.shape[1], self.buckets, self.max_distance)
        table = nn.Embed(self.buckets, self.heads, name="relative_bias")
        bias = rearrange(table(buckets), "n m h -> 1 h n m")
        layers = nn.scan(
            T5Layer,
            variable_axes={"params": 0},
            split_rngs={"params": True},
            in_axes=(nn.broadcast, nn.broadcast),
            length=self.depth,
        )(self.heads, self.head_dim, self.mlp, self.norm_eps, self.dtype, name="layers")
        x, _ = layers(x.astype(self.dtype), rearrange(mask, "b n -> b 1 1 n"), bias)
        return nn.RMSNorm(epsilon=self.norm_eps, dtype=jnp.float32, name="norm")(x).astype(
            self.dtype
        )
