"""Autoregressive generation of a known number of frames with an explicit cache. Knows no model.

Legend: B batch, T frames, F forced frames, K groups, V classes.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import flax.struct
import jax
import jax.numpy as jnp
from einops import rearrange

from hsmtss_jax.sampling.policies import Policy, choose

Cache = TypeVar("Cache")
StepFn = Callable[[jax.Array, Cache], tuple[jax.Array, Cache]]


@flax.struct.dataclass
class Generated:
    """Hold generated tokens int32 [B, T, K] and the cache after the last step.

    A caller that donates the first cache returns this one from its jitted function, so that both share
    memory.
    """

    tokens: jax.Array
    cache: Any


def generate(
    step: StepFn[Cache],
    cache: Cache,
    first: jax.Array,
    frames: int,
    keys: jax.Array,
    policy: Policy,
    *,
    codes: int,
    forced: jax.Array | None = None,
    forced_length: jax.Array | None = None,
    segments: int = 1,
    widen: Callable[[Cache, int], Cache] | None = None,
) -> Generated:
    """Sample ``frames`` steps of HSM-TSS eq. (9) under ``lax.scan``: tokens int32 [B, frames, K].

    Args:
      step: (previous tokens int32 [B, K], cache) -> (logits [B, K, V], cache).
      cache: as the prefill left it.
      first: start tokens int32 [B, K].
      frames: T.
      keys: a PRNG key per row [B]; frame t of a row is drawn with fold_in(its key, t).
      policy: how a token is drawn from its logits.
      codes: ids at or above it (start and end tokens) are never drawn.
      forced: int32 [B, F, K], fed and returned as the first frames; F <= frames.
      forced_length: number of forced frames per row [B] (default F).
      segments: number of scans that the frames are split into; each is compiled anew.
      widen: called before each segment; widen(cache, n) returns a cache with slots for the first n frames,
        so that early steps need not read the slots of late ones.

    Raises:
      ValueError: more frames are forced than generated.
    """
    limit, prefix = _forced_frames(forced, forced_length, first, frames)

    def body(
        carry: tuple[jax.Array, Cache], xs: tuple[jax.Array, jax.Array]
    ) -> tuple[tuple[jax.Array, Cache], jax.Array]:
        previous, state = carry
        t, given = xs
        logits, state = step(previous, state)
        row_keys = jax.vmap(jax.random.fold_in, in_axes=(0, None))(keys, t)
        tokens = choose(policy, logits[:, :, :codes], row_keys)
        tokens = jnp.where((t < limit)[:, None], given, tokens)
        return (tokens, state), tokens

    times = jnp.arange(frames, dtype=jnp.int32)
    previous, pieces = first, []
    length = -(-frames // segments)
    for start in range(0, frames, length):
        part = slice(start, min(start + length, frames))
        cache = widen(cache, part.stop) if widen else cache
        (previous, cache), drawn = jax.lax.scan(
            body, (previous, cache), (times[part], prefix[part])
        )
        pieces.append(drawn)
    tokens = rearrange(jnp.concatenate(pieces), "t b k -> b t k")
    return Generated(tokens=tokens, cache=cache)


def _forced_frames(
    forced: jax.Array | None, forced_length: jax.Array | None, first: jax.Array, frames: int
) -> tuple[jax.Array, jax.Array]:
    """Return the frames forced per row [B], and the tokens of each step [frames, B, K]."""
    batch, groups = first.shape
    if forced is None:
        return jnp.zeros((batch,), jnp.int32), jnp.zeros((frames, batch, groups), jnp.int32)
    if forced.shape[1] > frames:
        raise ValueError(f"{forced.shape[1]} forced frames do not fit in {frames} frames")
    full = jnp.full((batch,), forced.shape[1], jnp.int32)
    limit = full if forced_length is None else jnp.minimum(forced_length.astype(jnp.int32), full)
    padded = jnp.pad(forced.astype(jnp.int32), ((0, 0), (0, frames - forced.shape[1]), (0, 0)))
    return limit, rearrange(padded, "b t k -> t b k")
