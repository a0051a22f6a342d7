"""Sampling codec tokens from local semantic features: the decoder and the sampler put together.

Legend: B batch, P patches, C audio width, T frames, F forced frames, K groups.
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from hsmtss_jax.models.acoustic_decode_step import (
    DecodeCache,
    DecodeWeights,
    decode_step,
    prefill,
    prepare_decode,
)
from hsmtss_jax.models.acoustic_decoder import AcousticDecoderConfig
from hsmtss_jax.sampling import Policy, generate, row_keys


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
    lengths: jax.Array | None = None,
    prefix_mask: jax.Array | None = None,
    dtype: Any = jnp.float32,
) -> jax.Array:
    """Draw ``frames`` token frames for S [B, P, C] -> int32 [B, frames, K]. For ``jit``: frames static.

    params: the trained parameters, or ``prepare_decode`` of them (cheaper for many calls).
    seeds: uint32 [B]; a row's tokens depend on its own seed, S and forced frames alone.
    forced_tokens: int32 [B, F, K] of which the row's first ``forced_length`` [B] (default F) frames
    are kept, to go on from a previous window. lengths: int32 [B]; frames from there on are 0.
    prefix_mask: bool [B, P], False for patches of padding. The end token is never drawn.
    """
    if not isinstance(params, DecodeWeights):
        params = prepare_decode(config, params, dtype)
    weights = params

    def step(tokens: jax.Array, cache: DecodeCache) -> tuple[jax.Array, DecodeCache]:
        return decode_step(config, weights, tokens, cache)

    return generate(
        step,
        prefill(config, weights, patches, frames, prefix_mask),
        jnp.full((len(patches), config.groups), config.start, jnp.int32),
        frames,
        row_keys(seeds),
        policy,
        codes=config.codes,
        forced=forced_tokens,
        forced_length=forced_length,
        lengths=lengths,
    )
