"""Sampling codec tokens from local semantic features: the decoder and the sampler put together.

Legend: B batch, n rows asked for, P patches, C audio width, T frames, F forced frames, K groups.
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
from hsmtss_jax.sampling import (
    Generated,
    Policy,
    batch_sizes,
    frame_sizes,
    generate,
    round_up,
    row_keys,
)

MAX_BATCH = 16  # rows of one program; more go through it in turns
# From this batch on the cache is read about as long as the weights, and it pays to compile several
# segments of at least so many frames, each of which reads the slots that it can have filled.
SEGMENTED_BATCH, SEGMENT_FRAMES = 4, 128


def segments(batch: int, frames: int) -> int:
    """The number of scans that the frames of a batch are split into, see ``generate``."""
    return max(1, frames // SEGMENT_FRAMES) if batch >= SEGMENTED_BATCH else 1


def first_room(batch: int, frames: int) -> int:
    """The frames of the first of ``segments``, which a prefilled cache must have room for."""
    return -(-frames // segments(batch, frames))


def draw(
    config: AcousticDecoderConfig,
    weights: DecodeWeights,
    cache: DecodeCache,
    frames: int,
    seeds: jax.Array,
    policy: Policy,
    forced_tokens: jax.Array | None = None,
    forced_length: jax.Array | None = None,
    lengths: jax.Array | None = None,
) -> Generated:
    """``frames`` frames from a prefilled cache: see ``sample``. For ``jit``.

    The cache may be donated where it has room for all frames.
    """
    parts = segments(len(seeds), frames)

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
        lengths=lengths,
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
    room = first_room(len(patches), frames)
    cache = prefill(config, params, patches, frames, prefix_mask, room)
    drawn = draw(
        config, params, cache, frames, seeds, policy, forced_tokens, forced_length, lengths
    )
    return drawn.tokens


_STATIC = ("frames", "policy")


class TokenSampler:
    """``sample`` for calls of many sizes: rows and frames are rounded up to a few static shapes.

    The batch goes up to the next of 1, 2, 4, ... ``MAX_BATCH``, the frames to the next quarter of a
    window, and forced frames and lengths are always arguments, so a policy compiles once for each pair
    of sizes that occurs. A row's tokens do not depend on the shape it was drawn in.
    """

    def __init__(
        self, config: AcousticDecoderConfig, params: Mapping[str, Any], dtype: Any = jnp.float32
    ) -> None:
        """params: the trained parameters; they are prepared once, for the first call."""
        self.config, self.dtype = config, dtype
        self._params: Mapping[str, Any] | None = params
        self.frame_sizes = frame_sizes(config.max_frames)
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
        """The prepared weights; the trained ones are let go."""
        prepare = functools.partial(prepare_decode, self.config, dtype=self.dtype)
        weights = jax.jit(prepare)(self._params)
        self._params = None
        return weights

    def __call__(
        self,
        patches: np.ndarray | jax.Array,
        frames: int,
        seeds: np.ndarray,
        policy: Policy,
        forced_tokens: np.ndarray | None = None,
        forced_length: np.ndarray | None = None,
        *,
        lengths: np.ndarray | None = None,
        prefix_mask: np.ndarray | None = None,
    ) -> np.ndarray:
        """int32 [n, frames, K] for S [n, P, C], any n; the arguments are those of ``sample``.

        Only max(lengths) frames are computed; those behind it are 0. Raises ValueError for no rows and
        for more frames than a window has.
        """
        rows = len(patches)
        if not rows:
            raise ValueError("there is no row to sample tokens for")
        limits = np.full(rows, frames, np.int32) if lengths is None else np.minimum(lengths, frames)
        visible = np.ones((rows, self.config.patches), bool) if prefix_mask is None else prefix_mask
        forced, counts = _forced(rows, self.config.groups, forced_tokens, forced_length)
        if forced.shape[1] > frames:
            raise ValueError(f"{forced.shape[1]} forced frames do not fit in {frames} frames")
        tokens = np.zeros((rows, frames, self.config.groups), np.int32)
        for start in range(0, rows, MAX_BATCH):
            part = slice(start, min(start + MAX_BATCH, rows))
            drawn = self._batch(
                policy,
                patches[part],
                seeds[part],
                forced[part],
                counts[part],
                limits[part],
                visible[part],
            )
            count = min(frames, drawn.shape[1])
            tokens[part, :count] = drawn[:, :count]
        return tokens

    def _batch(
        self,
        policy: Policy,
        patches: np.ndarray | jax.Array,
        seeds: np.ndarray,
        forced: np.ndarray,
        counts: np.ndarray,
        limits: np.ndarray,
        visible: np.ndarray,
    ) -> np.ndarray:
        """Tokens [n, T, K] of at most ``MAX_BATCH`` rows, T the size that holds the longest of them."""
        rows = len(seeds)
        frames = round_up(max(int(limits.max()), 1), self.frame_sizes)
        batch = round_up(rows, batch_sizes(MAX_BATCH))
        extra = batch - rows
        forced = forced[:, :frames]
        forced = np.pad(forced, ((0, extra), (0, frames - forced.shape[1]), (0, 0)))
        cache = self._prefill(
            self.weights,
            _pad_rows(patches, extra),
            frames=frames,
            prefix_mask=np.pad(visible, ((0, extra), (0, 0)), constant_values=True),
            room=first_room(batch, frames),
        )
        program = self._draw if segments(batch, frames) > 1 else self._draw_in_place
        drawn = program(
            self.weights,
            cache=cache,
            frames=frames,
            seeds=_pad_rows(np.asarray(seeds, np.uint32), extra),
            policy=policy,
            forced_tokens=forced,
            forced_length=_pad_rows(counts, extra),
            lengths=_pad_rows(limits, extra),
        )
        return np.asarray(drawn.tokens)[:rows]


def _pad_rows(x: np.ndarray | jax.Array, extra: int) -> np.ndarray | jax.Array:
    """``extra`` rows of zeros behind x, which may be on a device."""
    if not extra:
        return x
    space = jnp if isinstance(x, jax.Array) else np
    return space.pad(x, ((0, extra), *((0, 0),) * (x.ndim - 1)))


def _forced(
    rows: int, groups: int, tokens: np.ndarray | None, length: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """(forced frames int32 [n, F, K], how many of them count in each row [n])."""
    if tokens is None:
        return np.zeros((rows, 0, groups), np.int32), np.zeros(rows, np.int32)
    tokens = np.asarray(tokens, np.int32)
    full = np.full(rows, tokens.shape[1], np.int32)
    return tokens, full if length is None else np.minimum(length, full).astype(np.int32)
