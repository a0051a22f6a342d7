"""Beam search with an explicit cache. Knows no model.

Legend: B sequences, K beams, N tokens, V vocabulary.
"""

from collections.abc import Callable
from typing import TypeVar

import flax.struct
import jax
import jax.numpy as jnp
from einops import rearrange

Cache = TypeVar("Cache")
StepFn = Callable[[jax.Array, Cache], tuple[jax.Array, Cache]]
Reorder = Callable[[Cache, jax.Array], Cache]

_NEVER = -1e9  # log-probability of what may not be chosen


@flax.struct.dataclass
class Beams:
    """Hold beams, best first.

    tokens: int32 [B, K, N], the end token from a sequence's end on. scores: float32 [B, K], the mean
    log-probability of its tokens (see ``length_power``), the end token counted.
    """

    tokens: jax.Array
    scores: jax.Array


@flax.struct.dataclass
class _Search:
    tokens: jax.Array  # [B, K, N]
    total: jax.Array  # [B, K], summed log-probabilities
    lengths: jax.Array  # int [B, K]
    ended: jax.Array  # bool [B, K]


def beam_search(
    step: StepFn[Cache],
    cache: Cache,
    logits: jax.Array,
    *,
    beams: int,
    tokens: int,
    end: int,
    reorder: Reorder[Cache],
    length_power: float = 1.0,
) -> Beams:
    """Search the ``beams`` best continuations of at most ``tokens`` tokens.

    Args:
      step: (previous tokens int32 [B * K], cache) -> (logits [B * K, V], cache).
      cache: as the prefill left it, already a row a beam, the beams of a sequence beside one another.
      logits: [B, V], of the first token.
      beams: K.
      tokens: N.
      end: the token that ends a sequence.
      reorder: (cache, rows int32 [B * K]) -> the cache with those rows.
      length_power: continuations are compared by log-probability / length ** length_power: 0 prefers short
        ones, 1 compares means.
    """
    batch = logits.shape[0]
    state = _first(logits, beams, tokens, end)
    base = jnp.arange(batch, dtype=jnp.int32)[:, None] * beams

    def body(carry: tuple[_Search, Cache], index: jax.Array) -> tuple[tuple[_Search, Cache], None]:
        state, cache = carry
        previous = jax.lax.dynamic_index_in_dim(state.tokens, index - 1, axis=2, keepdims=False)
        scores, cache = step(rearrange(previous, "b k -> (b k)"), cache)
        scores = jax.nn.log_softmax(rearrange(scores, "(b k) v -> b k v", b=batch), axis=-1)
        state, parents = _extend(state, scores, index, end, length_power)
        return (state, reorder(cache, (base + parents).reshape(-1))), None

    indices = jnp.arange(1, tokens, dtype=jnp.int32)
    (state, _), _ = jax.lax.scan(body, (state, cache), indices)
    scores = state.total / state.lengths.astype(jnp.float32) ** length_power
    order = jnp.argsort(-scores, axis=1)
    return Beams(
        tokens=jnp.take_along_axis(state.tokens, order[:, :, None], axis=1),
        scores=jnp.take_along_axis(scores, order, axis=1),
    )


def _first(logits: jax.Array, beams: int, tokens: int, end: int) -> _Search:
    """Start a beam with each of the ``beams`` best first tokens."""
    total, chosen = jax.lax.top_k(jax.nn.log_softmax(logits.astype(jnp.float32)), beams)
    filled = jnp.full((*chosen.shape, tokens), end, jnp.int32)
    return _Search(
        tokens=filled.at[:, :, 0].set(chosen),
        total=total,
        lengths=jnp.ones(chosen.shape, jnp.int32),
        ended=chosen == end,
    )


def _extend(
    state: _Search, scores: jax.Array, index: jax.Array, end: int, power: float
) -> tuple[_Search, jax.Array]:
    """Extend every beam by every next token [B, K, V]; return the best K and their beams before [B, K].

    A beam that has ended goes on as it is, at no cost.
    """
    beams, vocab = scores.shape[1:]
    is_end = jnp.arange(vocab)[None, None, :] == end
    ended = state.ended[:, :, None]
    gain = jnp.where(ended, jnp.where(is_end, 0.0, _NEVER), scores.astype(jnp.float32))
    total = state.total[:, :, None] + gain
    lengths = state.lengths + ~state.ended
    ranked = total / lengths[:, :, None].astype(jnp.float32) ** power
    _, flat = jax.lax.top_k(rearrange(ranked, "b k v -> b (k v)"), beams)
    parents, chosen = flat // vocab, (flat % vocab).astype(jnp.int32)

    def of_parent(x: jax.Array) -> jax.Array:
        return jnp.take_along_axis(x, parents, axis=1)

    before = jnp.take_along_axis(state.tokens, parents[:, :, None], axis=1)
    tokens = jax.lax.dynamic_update_index_in_dim(before, chosen[:, :, None], index, axis=2)
    now = _Search(
        tokens=tokens,
        total=jnp.take_along_axis(rearrange(total, "b k v -> b (k v)"), flat, axis=1),
        lengths=of_parent(lengths),
        ended=of_parent(state.ended) | (chosen == end),
    )
    return now, parents.astype(jnp.int32)
