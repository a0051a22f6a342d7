"""Multi-head attention with an explicit key/value cache.

Legend: B batch, N queries, M keys, S cache slots, H heads, E head width, D width.
"""

from typing import Any

import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp
from einops import rearrange

from hsmtss_jax.nn.platform import platform

NEG_INF = -1e9  # finite: a fully masked row gives uniform weights, never NaN


@flax.struct.dataclass
class KVCache:
    """Store the keys and values of earlier calls. k, v: [B, S, H, E]; length: int32 scalar, filled slots."""

    k: jax.Array
    v: jax.Array
    length: jax.Array

    @classmethod
    def zeros(cls, batch: int, slots: int, heads: int, head_width: int, dtype: Any) -> "KVCache":
        """Create an empty cache.

        Args:
          batch: B.
          slots: S, positions that fit.
          heads: H.
          head_width: E.
          dtype: of keys and values.
        """
        empty = jnp.zeros((batch, slots, heads, head_width), dtype)
        return cls(k=empty, v=empty, length=jnp.zeros((), jnp.int32))

    def append(self, k: jax.Array, v: jax.Array) -> "KVCache":
        """Return a new cache with k, v [B, N, H, E] written after the filled slots."""
        start = (0, self.length, 0, 0)
        return KVCache(
            k=jax.lax.dynamic_update_slice(self.k, k.astype(self.k.dtype), start),
            v=jax.lax.dynamic_update_slice(self.v, v.astype(self.v.dtype), start),
            length=self.length + k.shape[1],
        )


@flax.struct.dataclass
class AttentionOutput:
    """Hold the result of an attention layer.

    out: [B, N, D]. cache: the updated cache, if one was given. weights: [B, H, N, M], if requested.
    """

    out: jax.Array
    cache: KVCache | None = None
    weights: jax.Array | None = None


def attention_weights(
    q: jax.Array, k: jax.Array, mask: jax.Array | None = None, bias: jax.Array | None = None
) -> jax.Array:
    """Compute softmax(q k^T / sqrt(E) + bias) over visible keys, in float32.

    q: [B, N, H, E]; k: [B, M, H, E]; mask: bool, broadcastable to [B, H, N, M], True = visible;
    bias: likewise, added to the logits. Returns [B, H, N, M].
    """
    batch, queries, heads, width = q.shape
    logits = jax.lax.dot_general(
        _heads_first(q), _heads_first(k), _ROWS, preferred_element_type=jnp.float32
    )
    logits = logits.reshape(batch, heads, queries, k.shape[1]) * (width**-0.5)
    if bias is not None:
        logits = logits + bias.astype(jnp.float32)
    if mask is not None:
        logits = jnp.where(mask, logits, NEG_INF)
    return jax.nn.softmax(logits, axis=-1)


def weighted_values(weights: jax.Array, v: jax.Array) -> jax.Array:
    """Apply attention weights [B, H, N, M] to values [B, M, H, E] -> [B, N, H, E], in v's dtype."""
    batch, heads, queries, keys = weights.shape
    flat = weights.astype(v.dtype).reshape(batch * heads, queries, keys)
    out = jax.lax.dot_general(flat, _heads_first(v), _COLUMNS)
    return rearrange(out, "(b h) n e -> b n h e", h=heads)


def dot_product_attention(
    q: jax.Array,
    k: jax.Array,
    v: jax.Array,
    mask: jax.Array | None = None,
    bias: jax.Array | None = None,
) -> jax.Array:
    """Compute attention of q [B, N, H, E] over k, v [B, M, H, E] -> [B, N, H, E].

    On a CPU it takes a few heads at a time, so that their weights stay in the cache, and recomputes them
    for the gradient: half the time forward for 512 tokens, four fifths with the gradient, and no [N, M]
    array of all heads in memory.

    Args:
      q: queries [B, N, H, E].
      k: keys [B, M, H, E].
      v: values [B, M, H, E].
      mask: bool, broadcastable to [B, H, N, M], True = visible.
      bias: likewise, added to the logits.
    """
    heads = q.shape[2]
    group = _heads_in_cache(heads, q.shape[1] * k.shape[1])
    if platform() != "cpu" or group == heads:
        return weighted_values(attention_weights(q, k, mask, bias), v)
    return _by_groups(q, k, v, mask, bias, group)


_CACHED_WEIGHTS = 1 << 20  # attention weights that a core's cache holds with the rest: 4 MiB


def _heads_in_cache(heads: int, weights: int) -> int:
    """Return the largest divisor of ``heads`` whose ``weights`` each fit the CPU cache; at least one."""
    fitting = (n for n in range(heads, 1, -1) if heads % n == 0 and n * weights <= _CACHED_WEIGHTS)
    return next(fitting, 1)


def _by_groups(
    q: jax.Array,
    k: jax.Array,
    v: jax.Array,
    mask: jax.Array | None,
    bias: jax.Array | None,
    group: int,
) -> jax.Array:
    """Compute ``dot_product_attention`` in a loop over groups of heads of one example."""
    batch, _, heads, _ = q.shape
    groups = heads // group

    def split(x: jax.Array) -> jax.Array:
        return rearrange(x, "b n (m h) e -> (b m) n h e", h=group)

    def part(x: jax.Array | None, step: jax.Array) -> jax.Array | None:
        """Slice [1 or B, 1 or H, N, M] to the group of this step."""
        if x is None:
            return None
        if x.shape[0] > 1:
            x = jax.lax.dynamic_slice_in_dim(x, step // groups, 1, axis=0)
        if x.shape[1] > 1:
            x = jax.lax.dynamic_slice_in_dim(x, step % groups * group, group, axis=1)
        return x

    def attend(inputs: tuple[jax.Array, ...]) -> jax.Array:
        step, q, k, v = inputs
        weights = attention_weights(q[None], k[None], part(mask, step), part(bias, step))
        return weighted_values(weights, v[None])[0]

    steps = jnp.arange(batch * groups)
    out = jax.lax.map(
        jax.checkpoint(attend, prevent_cse=False), (steps, split(q), split(k), split(v))
    )
    return rearrange(out, "(b m) n h e -> b n (m h) e", b=batch)


# Batched products of [B H, N, E]: one batch axis in front is what the CPU's matrix products want (the
# same product as an einsum over b n h e takes 2.5 times as long there); an accelerator sees no difference.
_ROWS = (((2,), (2,)), ((0,), (0,)))  # rows of the left with rows of the right
_COLUMNS = (((2,), (1,)), ((0,), (0,)))  # rows of the left with columns of the right


def _heads_first(x: jax.Array) -> jax.Array:
    """Merge heads into the batch axis: [B, N, H, E] -> [B H, N, E]."""
    return rearrange(x, "b n h e -> (b h) n e")


class MultiHeadAttention(nn.Module):
    """Apply multi-head attention with biases on all four projections.

    heads: H; the width D is the input's and must be divisible by H.
    """

    heads: int
    dtype: Any = jnp.float32
    kernel_init: nn.initializers.Initializer = nn.initializers.truncated_normal(0.02)
    out_init: nn.initializers.Initializer = nn.initializers.truncated_normal(0.02)

    @nn.compact
    def __call__(
        self,
        x: jax.Array,
        kv: jax.Array | None = None,
        *,
        mask: jax.Array | None = None,
        bias: jax.Array | None = None,
        cache: KVCache | None = None,
        return_weights: bool = False,
    ) -> AttentionOutput:
        """Attend from x to kv -> AttentionOutput with out [B, N, D].

        Args:
          x: queries [B, N, D].
          kv: keys and values [B, M, D'] (default: x).
          mask: bool, broadcastable to [B, H, N, M] (M = S when a cache is given), True = visible.
          bias: likewise, added to the logits.
          cache: keys and values of this call are appended to it and all its slots are attended to, so the
            mask must hide the slots that are not filled.
          return_weights: also return the attention weights.
        """
        width = x.shape[-1]
        if width % self.heads:
            raise ValueError(f"width {width} is not divisible by {self.heads} heads")
        kv = x if kv is None else kv

        def project(name: str, inputs: jax.Array) -> jax.Array:
            dense = nn.Dense(width, dtype=self.dtype, kernel_init=self.kernel_init, name=name)
            return rearrange(dense(inputs), "b n (h e) -> b n h e", h=self.heads)

        q, k, v = project("query", x), project("key", kv), project("value", kv)
        if cache is not None:
            cache = cache.append(k, v)
            k, v = cache.k.astype(q.dtype), cache.v.astype(q.dtype)
        weights = None
        if return_weights:
            weights = attention_weights(q, k, mask, bias)
            heads_out = weighted_values(weights, v)
        else:
            heads_out = dot_product_attention(q, k, v, mask, bias)
        out = nn.Dense(width, dtype=self.dtype, kernel_init=self.out_init, name="out")(
            rearrange(heads_out, "b n h e -> b n (h e)")
        )
        return AttentionOutput(out=out, cache=cache, weights=weights)
