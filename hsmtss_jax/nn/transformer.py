"""Pre-LN transformer stack of the separators, the decoder and AudioMAE, scanned over layers.

Legend: B batch, N tokens, M context tokens, D width, H heads, L layers.
"""

import dataclasses
from typing import Any

import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp

from hsmtss_jax.nn.attention import KVCache, MultiHeadAttention


@dataclasses.dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """Configure a stack. A layer has 12 D^2 + 13 D parameters (16 D^2 + 19 D with cross-attention)."""

    width: int = 768
    depth: int = 12
    heads: int = 8
    mlp_ratio: int = 4
    dropout: float = 0.0
    norm_eps: float = 1e-6
    approximate_gelu: bool = False
    cross_attention: bool = False
    final_norm: bool = True
    init: str = "scaled"  # scaled: trunc. normal 0.02, residual outputs / sqrt(2 depth) | xavier
    remat: bool = False  # recompute activations in the backward pass

    def make(self, dtype: Any = jnp.float32) -> "Transformer":
        """Create the module with compute dtype ``dtype``."""
        return Transformer(config=self, dtype=dtype)

    def kernel_init(self, *, residual: bool = False) -> nn.initializers.Initializer:
        """Return the initialiser of a Dense kernel; ``residual``: its output is added to the stream."""
        if self.init == "xavier":
            return nn.initializers.xavier_uniform()
        if self.init == "scaled":
            return nn.initializers.truncated_normal(
                0.02 / (2 * self.depth) ** 0.5 if residual else 0.02
            )
        raise ValueError(f"unknown init {self.init!r}: use 'scaled' or 'xavier'")


@flax.struct.dataclass
class TransformerOutput:
    """Hold the result of a stack.

    x: [B, N, D]. cache: per-layer caches stacked on axis 0. weights: last layer's [B, H, N, M].
    """

    x: jax.Array
    cache: KVCache | None = None
    weights: jax.Array | None = None


class Mlp(nn.Module):
    """Apply Dense (mlp_ratio D), GELU and Dense D."""

    config: TransformerConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        cfg = self.config
        up = nn.Dense(
            cfg.mlp_ratio * cfg.width, dtype=self.dtype, kernel_init=cfg.kernel_init(), name="up"
        )
        down = nn.Dense(
            cfg.width, dtype=self.dtype, kernel_init=cfg.kernel_init(residual=True), name="down"
        )
        return down(nn.gelu(up(x), approximate=cfg.approximate_gelu))


class Block(nn.Module):
    """Apply one pre-LN layer: self-attention, optional cross-attention, MLP, each on a residual stream.

    Shaped for ``nn.scan``: the carry is (x, last attention weights or None).
    """

    config: TransformerConfig
    dtype: Any = jnp.float32
    train: bool = False
    return_weights: bool = False

    def _norm(self, name: str) -> nn.LayerNorm:
        return nn.LayerNorm(epsilon=self.config.norm_eps, dtype=self.dtype, name=name)

    def _attention(self, name: str) -> MultiHeadAttention:
        return MultiHeadAttention(
            heads=self.config.heads,
            dtype=self.dtype,
            kernel_init=self.config.kernel_init(),
            out_init=self.config.kernel_init(residual=True),
            name=name,
        )

    @nn.compact
    def __call__(
        self,
        carry: tuple[jax.Array, jax.Array | None],
        cache: KVCache | None,
        mask: jax.Array | None,
        context: jax.Array | None,
        context_mask: jax.Array | None,
    ) -> tuple[tuple[jax.Array, jax.Array | None], KVCache | None]:
        x, weights = carry

        def drop(y: jax.Array) -> jax.Array:
            return nn.Dropout(self.config.dropout, deterministic=not self.train)(y)

        attended = self._attention("attention")(
            self._norm("attention_norm")(x),
            mask=mask,
            cache=cache,
            return_weights=self.return_weights,
        )
        x = x + drop(attended.out)
        if self.config.cross_attention:
            crossed = self._attention("cross_attention")(
                self._norm("cross_norm")(x), context, mask=context_mask
            )
            x = x + drop(crossed.out)
        x = x + drop(Mlp(self.config, self.dtype, name="mlp")(self._norm("mlp_norm")(x)))
        return (x, attended.weights if self.return_weights else weights), attended.cache


class Transformer(nn.Module):
    """Apply L scanned pre-LN blocks (``blocks``, stacked on axis 0) and a final LayerNorm (``norm``)."""

    config: TransformerConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self,
        x: jax.Array,
        *,
        mask: jax.Array | None = None,
        context: jax.Array | None = None,
        context_mask: jax.Array | None = None,
        cache: KVCache | None = None,
        train: bool = False,
        return_weights: bool = False,
    ) -> TransformerOutput:
        """Transform x [B, N, D] -> TransformerOutput with x [B, N, D].

        Args:
          x: input tokens [B, N, D].
          mask: bool, broadcastable to [B, H, N, N], True = visible.
          context: [B, M, D'] for cross-attention.
          context_mask: bool, broadcastable to [B, H, N, M].
          cache: a ``KVCache`` whose leaves carry a leading layer axis.
          train: enable dropout.
          return_weights: also return the last layer's attention weights.
        """
        cfg = self.config
        block = nn.remat(Block, prevent_cse=False) if cfg.remat else Block
        stack = nn.scan(
            block,
            variable_axes={"params": 0},
            split_rngs={"params": True, "dropout": True},
            in_axes=(0, nn.broadcast, nn.broadcast, nn.broadcast),
            out_axes=0,
            length=cfg.depth,
        )
        weights = None
        if return_weights:
            keys = x.shape[1] if cache is None else cache.k.shape[2]
            weights = jnp.zeros((x.shape[0], cfg.heads, x.shape[1], keys), jnp.float32)
        (x, weights), cache = stack(cfg, self.dtype, train, return_weights, name="blocks")(
            (x.astype(self.dtype), weights), cache, mask, context, context_mask
        )
        if cfg.final_norm:
            x = nn.LayerNorm(epsilon=cfg.norm_eps, dtype=self.dtype, name="norm")(x)
        return TransformerOutput(x=x, cache=cache, weights=weights)
