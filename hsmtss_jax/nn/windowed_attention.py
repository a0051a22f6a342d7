"""Multi-window attention: each head attends within windows of its own length (MW-MAE, Yadav et al. 2023).

Legend: B batch, N tokens, H heads, E width of a head, W window length, M = N / W windows, D width.
"""

import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from einops import rearrange

from hsmtss_jax.nn.attention import dot_product_attention

relative_bias_init = nn.initializers.variance_scaling(0.02, "fan_in", "truncated_normal")


def relative_positions(window: int) -> np.ndarray:
    """Compute indices [W, W] into a table of ``2 W - 1`` relative distances (query minus key)."""
    place = np.arange(window)
    return place[:, None] - place[None, :] + window - 1


def windowed_attention(
    query: jax.Array, key: jax.Array, value: jax.Array, bias: jax.Array | None, window: int
) -> jax.Array:
    """Attend within non-overlapping windows -> [B, N, H, E]. Softmax in float32.

    Args:
      query: [B, N, H, E].
      key: [B, N, H, E].
      value: [B, N, H, E].
      bias: [H, W, W] added to the logits, or None.
      window: W, which divides N.
    """
    batch = query.shape[0]
    split = functools.partial(rearrange, pattern="b (m w) h e -> (b m) w h e", w=window)
    out = dot_product_attention(
        split(query), split(key), split(value), bias=None if bias is None else bias[None]
    )
    return rearrange(out, "(b m) w h e -> b (m w) h e", b=batch)


class MultiWindowAttention(nn.Module):
    """Apply self-attention whose head h sees only its window of ``windows[h]`` tokens; 0 sees everything.

    A windowed head adds a learned bias for every relative distance inside the window. Input and
    output [B, N, D]; D is a multiple of the number of heads, N of every window.
    """

    windows: tuple[int, ...]
    dtype: Any = jnp.float32
    kernel_init: nn.initializers.Initializer = nn.initializers.xavier_uniform()

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        heads, width, tokens = len(self.windows), x.shape[-1], x.shape[-2]
        wrong = [w for w in self.windows if w and tokens % w]
        if wrong:
            raise ValueError(f"{tokens} tokens cannot be cut into windows of {wrong}")
        dense = functools.partial(nn.Dense, dtype=self.dtype, kernel_init=self.kernel_init)
        qkv = rearrange(dense(3 * width, name="qkv")(x), "b n (s h e) -> s b n h e", s=3, h=heads)
        out: list[jax.Array | None] = [None] * heads
        for window in sorted(set(self.windows)):
            members = np.flatnonzero(np.array(self.windows) == window)
            part = qkv[:, :, :, members]
            bias = self._bias(window, members)
            mixed = windowed_attention(part[0], part[1], part[2], bias, window or tokens)
            for place, head in enumerate(members):
                out[head] = mixed[:, :, place]
        joined = rearrange(out, "h b n e -> b n (h e)")
        return dense(width, name="out")(joined)

    def _bias(self, window: int, members: np.ndarray) -> jax.Array | None:
        if not window:
            return None
        tables = [
            self.param(f"head_{h}_relative_bias", relative_bias_init, (2 * window - 1, 1))[:, 0]
            for h in members
        ]
        return jnp.stack(tables)[:, relative_positions(window)]
