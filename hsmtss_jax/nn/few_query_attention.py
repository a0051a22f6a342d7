"""Cross-attention of a few queries to many tokens, without projecting the tokens.

The key projection is applied to the queries, q (W_k x + b_k) = (q W_k) x + q b_k, and the value
projection after the weighted sum, which is exact because the weights sum to one. For one query over
512 tokens of width 768 this is 25 times less arithmetic than ``MultiHeadAttention``, with the same
parameters under the same names.

Legend: B batch, N queries, M tokens, C width of a token, H heads, E head width, D = H * E.
"""

import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from einops import rearrange


class Projection(nn.Module):
    """Hold the kernel [C, D] and bias [D] of a Dense layer that the caller applies."""

    features: int
    dtype: Any
    kernel_init: nn.initializers.Initializer

    @nn.compact
    def __call__(self, inputs: int) -> tuple[jax.Array, jax.Array]:
        kernel = self.param("kernel", self.kernel_init, (inputs, self.features))
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        return kernel.astype(self.dtype), bias.astype(self.dtype)


class FewQueryAttention(nn.Module):
    """Apply multi-head cross-attention with biases on all projections; D is the queries' width."""

    heads: int
    dtype: Any = jnp.float32
    kernel_init: nn.initializers.Initializer = nn.initializers.truncated_normal(0.02)

    @nn.compact
    def __call__(self, x: jax.Array, tokens: jax.Array) -> jax.Array:
        """Attend from queries x [B, N, D] to tokens [B, M, C], all visible -> [B, N, D]."""
        width = x.shape[-1]
        dense = functools.partial(nn.Dense, width, dtype=self.dtype, kernel_init=self.kernel_init)
        by_head = functools.partial(rearrange, pattern="... (h e) -> ... h e", h=self.heads)
        project = functools.partial(Projection, width, self.dtype, self.kernel_init)
        tokens = tokens.astype(self.dtype)
        key, key_bias = map(by_head, project(name="key")(tokens.shape[-1]))
        value, value_bias = map(by_head, project(name="value")(tokens.shape[-1]))
        q = by_head(dense(name="query")(x)) * (width // self.heads) ** -0.5

        moved = jnp.einsum("bnhe,che->bhnc", q, key)
        logits = jnp.einsum("bhnc,bmc->bhnm", moved, tokens, preferred_element_type=jnp.float32)
        logits += jnp.einsum("bnhe,he->bhn", q, key_bias).astype(jnp.float32)[..., None]
        weights = jax.nn.softmax(logits, axis=-1).astype(self.dtype)
        pooled = jnp.einsum("bhnm,bmc->bhnc", weights, tokens)
        mixed = jnp.einsum("bhnc,che->bnhe", pooled, value) + value_bias[None, None]
        return dense(name="out")(rearrange(mixed, "b n h e -> b n (h e)"))
