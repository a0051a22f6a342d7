"""How a token is chosen from logits: greedy, temperature, top-k, top-p.

Legend: B batch, K groups, V classes, C candidates.
"""

import dataclasses

import jax
import jax.numpy as jnp
from einops import rearrange


@dataclasses.dataclass(frozen=True, kw_only=True)
class Policy:
    """Configure sampling. Hashable, so it can be a static argument of a jitted function.

    temperature: 0 is greedy. top_k: candidates kept, 0 keeps all. top_p: probability mass kept
    (nucleus), after temperature and top-k; 1 keeps all.
    """

    temperature: float = 0.8
    top_k: int = 64
    top_p: float = 1.0

    def __post_init__(self) -> None:
        if self.temperature < 0 or self.top_k < 0 or not 0 < self.top_p <= 1:
            raise ValueError(f"use temperature >= 0, top_k >= 0 and 0 < top_p <= 1, got {self}")


GREEDY = Policy(temperature=0.0)


def row_keys(seeds: jax.Array) -> jax.Array:
    """Derive a PRNG key for each row from its own seed (uint32 [B]), whatever its neighbours are."""
    return jax.vmap(jax.random.key)(seeds.astype(jnp.uint32))


def choose(policy: Policy, logits: jax.Array, keys: jax.Array) -> jax.Array:
    """Choose tokens int32 [B, K] by logits [B, K, V] and a key a row [B]; groups are independent."""
    if policy.temperature == 0:
        return jnp.argmax(logits, axis=-1).astype(jnp.int32)
    logits = logits.astype(jnp.float32) / policy.temperature
    classes = logits.shape[-1]
    kept = min(policy.top_k or classes, classes)
    if kept == classes and policy.top_p == 1:
        return _draw(logits, keys)
    flat, order = jax.lax.top_k(rearrange(logits, "b k v -> (b k) v"), kept)
    if policy.top_p < 1:
        probability = jax.nn.softmax(flat, axis=-1)
        before = jnp.cumsum(probability, axis=-1) - probability
        flat = jnp.where(before < policy.top_p, flat, -jnp.inf)
    rank = _draw(rearrange(flat, "(b k) c -> b k c", b=len(logits)), keys)
    ranks = rearrange(rank, "b k -> (b k) 1")
    chosen = jnp.take_along_axis(order, ranks, axis=-1)
    return rearrange(chosen, "(b k) 1 -> b k", b=len(logits)).astype(jnp.int32)


def _draw(logits: jax.Array, keys: jax.Array) -> jax.Array:
    """Draw by the Gumbel-max rule over the last axis of [B, K, C], one key a row: int32 [B, K]."""
    noise = jax.vmap(lambda key: jax.random.gumbel(key, logits.shape[1:], jnp.float32))(keys)
    return jnp.argmax(logits + noise, axis=-1).astype(jnp.int32)
