"""Sampling codec tokens from local semantic features: HSM-TSS eq. (9), frame by frame.

Legend: B batch, P patches, C audio width, T frames, F forced frames, K groups.
"""

import functools
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.models.acoustic_decoder.model import AcousticDecoderConfig
from hsmtss_jax.models.acoustic_decoder.step import DecodeCache, decode_step, prefill, widen
from hsmtss_jax.models.acoustic_decoder.weights import DecodeWeights, prepare_decode
from hsmtss_jax.sampling import Generated, Policy, generate, row_keys

# From this batch on the cache is read about as long as the weights, and it pays to compile several
# segments of at least so many frames, each of which reads the slots that it can have filled.
SEGMENTED_BATCH, SEGMENT_FRAMES = 4, 128


def segments(batch: int, frames: int, segment_frames: int = SEGMENT_FRAMES) -> int:
    """Return the number of scans that the frames of a batch are split into, see ``generate``.

    segment_frames: the fewest frames that are worth a program of their own.
    """
    return max(1, frames // segment_frames) if batch >= SEGMENTED_BATCH else 1


def first_capacity(batch: int, frames: int, segment_frames: int = SEGMENT_FRAMES) -> int:
    """Return the frames of the first of ``segments``, which a prefilled cache must have room for."""
    return -(-frames // segments(batch, frames, segment_frames))


def draw(
    config: AcousticDecoderConfig,
    weights: DecodeWeights,
    cache: DecodeCache,
    frames: int,
    seeds: jax.Array,
    policy: Policy,
    forced_tokens: jax.Array | None = None,
    forced_length: jax.Array | None = None,
    segment_frames: int = SEGMENT_FRAMES,
) -> Generated:
    """Draw ``frames`` frames from a prefilled cache: see ``sample``. For ``jit``.

    The cache may be donated where it has room for all frames.

    Args:
      config: of the decoder.
      weights: prepared ones.
      cache: prefilled, with room for at least ``first_capacity`` frames.
      frames: T, static.
      seeds: uint32 [B].
      policy: how tokens are chosen.
      forced_tokens: int32 [B, F, K], of which a row's first ``forced_length`` frames are kept, to go on from
        a previous window.
      forced_length: int32 [B]; F where it is not given.
      segment_frames: see ``segments``.
    """
    parts = segments(len(seeds), frames, segment_frames)

    def step(tokens: jax.Array, cache: DecodeCache) -> tuple[jax.Array, DecodeCache]:
        return decode_step(config, weights, tokens, cache)

    return generate(
        step,
        cache,
        jnp.full((len(seeds), config.groups), config.start, jnp.int32),
        frames,
        row_keys(seeds),
        policy,
        codes=config.codes,
        forced=forced_tokens,
        forced_length=forced_length,
        segments=parts,
        widen=functools.partial(widen, config) if parts > 1 else None,
    )


def sample(
    config: AcousticDecoderConfig,
    params: Mapping[str, Any] | DecodeWeights,
    patches: jax.Array,
    frames: int,
    seeds: jax.Array,
    policy: Policy,
    forced_tokens: jax.Array | None = None,
    forced_length: jax.Array | None = None,
    *,
    prefix_mask: jax.Array | None = None,
    dtype: Any = jnp.float32,
) -> jax.Array:
    """Draw token frames int32 [B, T, K] for S [B, P, C]; the end token is never drawn. For ``jit``.

    Args:
      config: of the decoder.
      params: the trained parameters, or ``prepare_decode`` of them (cheaper for many calls).
      patches: S [B, P, C].
      frames: T, static.
      seeds: uint32 [B]; a row's tokens depend on its own seed, S and forced frames alone.
      policy: how tokens are chosen.
      forced_tokens: int32 [B, F, K], of which a row's first ``forced_length`` frames are kept, to go on from
        a previous window.
      forced_length: int32 [B]; F where it is not given.
      prefix_mask: bool [B, P], False for patches of padding.
      dtype: compute dtype of weights that are prepared here.
    """
    if not isinstance(params, DecodeWeights):
        params = prepare_decode(config, params, dtype)
    room = first_capacity(len(patches), frames)
    cache = prefill(config, params, patches, frames, prefix_mask, room)
    drawn = draw(config, params, cache, frames, seeds, policy, forced_tokens, forced_length)
    return drawn.tokens


_STATIC = ("frames", "policy", "segment_frames")


class TokenSampler:
    """Compile ``sample`` as two programs, with weights that are prepared once.

    What a row is drawn depends on nothing but its own arguments, whatever the static shapes.
    """

    def __init__(
        self,
        config: AcousticDecoderConfig,
        params: Mapping[str, Any],
        dtype: Any = jnp.float32,
        *,
        segment_frames: int = SEGMENT_FRAMES,
    ) -> None:
        """Keep ``params``, the trained ones; they are prepared for the first call. See ``segments``."""
        self.config, self.dtype = config, dtype
        self._params: Mapping[str, Any] | None = params
        self._segment_frames = segment_frames
        self._prefill = jax.jit(
            functools.partial(prefill, config), static_argnames=("frames", "room")
        )
        # A cache that is widened on the way cannot be donated: what comes out is larger.
        self._draw = jax.jit(functools.partial(draw, config), static_argnames=_STATIC)
        self._draw_in_place = jax.jit(
            functools.partial(draw, config), static_argnames=_STATIC, donate_argnames="cache"
        )

    @functools.cached_property
    def weights(self) -> DecodeWeights:
        """Prepare the weights; the trained ones are let go."""
        prepare = functools.partial(prepare_decode, self.config, dtype=self.dtype)
        weights = jax.jit(prepare)(self._params)
        self._params = None
        return weights

    def __call__(
        self,
        patches: np.ndarray | jax.Array,
        visible: np.ndarray | jax.Array,
        seeds: np.ndarray,
        policy: Policy,
        forced_tokens: np.ndarray,
        forced_length: np.ndarray,
    ) -> jax.Array:
        """Draw tokens int32 [B, T, K] for S [B, P, C]; one program for each B, T and policy.

        Args:
          patches: S [B, P, C].
          visible: bool [B, P], the patches that may be looked at.
          seeds: uint32 [B].
          policy: how tokens are chosen.
          forced_tokens: int32 [B, T, K], of which a row's first ``forced_length`` [B] frames are kept.
          forced_length: int32 [B].
        """
        batch, frames, _ = forced_tokens.shape
        room = first_capacity(batch, frames, self._segment_frames)
        cache = self._prefill(self.weights, patches, frames=frames, prefix_mask=visible, room=room)
        program = self._draw if room < frames else self._draw_in_place
        drawn: Generated = program(
            self.weights,
            cache=cache,
            frames=frames,
            seeds=seeds,
            policy=policy,
            forced_tokens=forced_tokens,
            forced_length=forced_length,
            segment_frames=self._segment_frames,
        )
        return drawn.tokens
