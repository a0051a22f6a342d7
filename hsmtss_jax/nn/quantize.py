"""Group vector quantisation by distance Gumbel-softmax (TF-Codec, HSM-TSS section III-E).

After Jiang et al. 2022, "Latent-Domain Predictive Neural Speech Coding", and its reference project.

Legend: B batch, T token frames, K groups, V codes of a codebook, D width of a group's vector.
"""

import dataclasses
from typing import Any

import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp
from jax.nn.initializers import Initializer

_EXACT = jax.lax.Precision.HIGHEST


@flax.struct.dataclass
class Quantized:
    """Hold quantised vectors.

    values: float32 [B, T, K, D]. tokens: int32 [B, T, K]. usage: float32 [K, V], the mean over batch and
    time of softmax(-sharpness * distance), the input of the rate loss.
    """

    values: jax.Array
    tokens: jax.Array
    usage: jax.Array


def symmetric_uniform(scale: float = 1.0) -> Initializer:
    """Return an initialiser that draws from U(-scale, scale)."""

    def init(
        key: jax.Array, shape: Any, dtype: Any = jnp.float32, out_sharding: Any = None
    ) -> jax.Array:
        return jax.random.uniform(key, shape, dtype, -scale, scale)

    return init


def code_logits(x: jax.Array, codebook: jax.Array, sharpness: float) -> jax.Array:
    """Compute -sharpness * squared distance of x [B, T, K, D] to each code of [K, V, D] -> [B, T, K, V]."""
    products = jnp.einsum("btkd,kvd->btkv", x, codebook, precision=_EXACT)
    norms = jnp.sum(codebook**2, axis=-1)
    own = jnp.sum(x**2, axis=-1, keepdims=True)
    return -sharpness * (own + norms[None, None] - 2.0 * products)


def first_largest(x: jax.Array) -> jax.Array:
    """Return the index of the first maximum along the last axis, int32 [..., V] -> [...].

    Equals ``argmax``, as two reductions that a CPU vectorises (its argmax is twice as slow).
    """
    codes = x.shape[-1]
    place = jax.lax.broadcasted_iota(jnp.int32, x.shape, x.ndim - 1)
    hits = jnp.where(x >= jnp.max(x, axis=-1, keepdims=True), place, codes)
    return jnp.minimum(jnp.min(hits, axis=-1), codes - 1)  # NaN hits nothing


def gumbel_one_hot(key: jax.Array, logits: jax.Array, tau: jax.Array | float) -> jax.Array:
    """Sample from softmax(logits) as a one-hot [..., V], with the gradient of the relaxed sample."""
    soft = jax.nn.softmax((logits + jax.random.gumbel(key, logits.shape)) / tau, axis=-1)
    hard = jax.nn.one_hot(first_largest(soft), logits.shape[-1], dtype=soft.dtype)
    return hard + soft - jax.lax.stop_gradient(soft)


def look_up(codebook: jax.Array, tokens: jax.Array) -> jax.Array:
    """Look up the codes [K, V, D] of tokens int [B, T, K] -> [B, T, K, D]."""
    group = jnp.arange(codebook.shape[0])[None, None, :]
    return codebook[jnp.broadcast_to(group, tokens.shape), tokens]


def nearest_codes(x: jax.Array, codebook: jax.Array, sharpness: float) -> Quantized:
    """Quantise x [B, T, K, D] to the nearest codes of [K, V, D]."""

    def one(_: None, group: tuple[jax.Array, jax.Array]) -> tuple[None, tuple[jax.Array, ...]]:
        logits, usage = _group_logits(*group, sharpness)
        return None, (first_largest(logits), usage)

    _, (tokens, usage) = jax.lax.scan(one, None, (jnp.moveaxis(x, 2, 0), codebook))
    tokens = jnp.moveaxis(tokens, 0, -1)
    return Quantized(look_up(codebook, tokens), tokens, usage)


def sampled_codes(
    key: jax.Array, x: jax.Array, codebook: jax.Array, sharpness: float, tau: jax.Array | float
) -> Quantized:
    """Quantise x [B, T, K, D] to codes drawn by ``gumbel_one_hot``, with the relaxed sample's gradient.

    Args:
      key: random key.
      x: vectors [B, T, K, D].
      codebook: [K, V, D].
      sharpness: factor of the squared distances in the logits.
      tau: Gumbel-softmax temperature.
    """

    @jax.checkpoint
    def one(_: None, group: tuple[jax.Array, ...]) -> tuple[None, tuple[jax.Array, ...]]:
        part, codes, key = group
        logits, usage = _group_logits(part, codes, sharpness)
        choice = gumbel_one_hot(key, logits, tau)
        values = jnp.einsum("btv,vd->btd", choice, codes, precision=_EXACT)
        return None, (values, first_largest(choice), usage)

    keys = jax.random.split(key, len(codebook))
    _, (values, tokens, usage) = jax.lax.scan(one, None, (jnp.moveaxis(x, 2, 0), codebook, keys))
    return Quantized(jnp.moveaxis(values, 0, 2), jnp.moveaxis(tokens, 0, 2), usage)


def _group_logits(x: jax.Array, codes: jax.Array, sharpness: float) -> tuple[jax.Array, jax.Array]:
    """Compute the logits [B, T, V] of one group's x [B, T, D] and codes [V, D], and their mean softmax [V].

    Groups are processed in turn: one group's logits stay in the cache and need a K-th of the memory. On
    CPU this makes encoding four times faster, and a training step's quantiser three times.
    """
    logits = code_logits(x[:, :, None], codes[None], sharpness)[:, :, 0]
    return logits, jnp.mean(jax.nn.softmax(logits, axis=-1), axis=(0, 1))


class GroupQuantizer(nn.Module):
    """Quantise with K codebooks [V, D], one per group.

    init_scale: codes start uniform in +-init_scale. The relaxed sample's gradient fades where one code is
    much nearer than the others; with ``straight_through`` the input also gets the gradient of its code, as
    in a VQ-VAE.
    """

    groups: int
    codes: int
    width: int
    sharpness: float = 5.0
    init_scale: float = 1.0
    straight_through: bool = False

    def setup(self) -> None:
        shape = (self.groups, self.codes, self.width)
        self.codebook = self.param("codebook", symmetric_uniform(self.init_scale), shape)

    def __call__(
        self, x: jax.Array, *, key: jax.Array | None = None, tau: jax.Array | float = 1.0
    ) -> Quantized:
        """Quantise vectors [B, T, K, D]: a Gumbel sample with ``key``, the nearest code without it."""
        x = x.astype(jnp.float32)
        if key is None:
            return nearest_codes(x, self.codebook, self.sharpness)
        drawn = sampled_codes(key, x, self.codebook, self.sharpness, tau)
        if self.straight_through:
            values = drawn.values + x - jax.lax.stop_gradient(x)
            return dataclasses.replace(drawn, values=values)
        return drawn

    def decode(self, tokens: jax.Array) -> jax.Array:
        """Look up tokens int [B, T, K] -> values float32 [B, T, K, D]."""
        return look_up(self.codebook, tokens)
