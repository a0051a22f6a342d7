"""One-frame decoding of the acoustic decoder: prefill, and a step with an explicit cache.

The layers are unrolled and the batch is the last axis, W [out, in] @ x [in, N]: at small batches a step
is bound by reading weights and cache, and this form reads each of them once, in order.

Legend: B batch, P patches, M columns, S cache slots (P + T), T frames, K groups, V codes, D width,
H heads, E head width, N positions x batch.
"""

import dataclasses
from collections.abc import Callable

import flax.struct
import jax
import jax.numpy as jnp
from einops import rearrange

from hsmtss_jax.models.acoustic_decoder.model import (
    FRAMES_PER_COLUMN,
    AcousticDecoderConfig,
    Conditioner,
    Conditions,
    frame_positions,
    hide_padding,
)
from hsmtss_jax.models.acoustic_decoder.weights import (
    AttentionForm,
    DecodeForm,
    DecodeWeights,
    Linear,
    Norm,
    product,
)
from hsmtss_jax.nn.apply import apply
from hsmtss_jax.nn.attention import NEG_INF, dot_product_attention


@flax.struct.dataclass
class DecodeCache:
    """Hold the state of decoding: keys [B H, E, S] and values [B H, S, E] of each layer.

    Batch and heads are one axis: after a reshape the compiler would write each slot into two arrays and
    copy the whole cache every step. Both are contracted over their middle axis, see ``_attend_one``.

    cross_keys [B H, E, P], cross_values [B H, P, E] of each layer (empty without cross-attention).
    visible: bool [B, P], patches that are attended to. columns: [B, M, D] or None. codes: [T, D] time code.
    frame: the next frame.
    """

    keys: tuple[jax.Array, ...]
    values: tuple[jax.Array, ...]
    cross_keys: tuple[jax.Array, ...]
    cross_values: tuple[jax.Array, ...]
    visible: jax.Array
    columns: jax.Array | None
    codes: jax.Array
    frame: jax.Array


def _linear(linear: Linear, x: jax.Array, form: DecodeForm) -> jax.Array:
    """Apply a dense layer: [in, N] -> [out, N]."""
    return product(linear.weight, x, form) + linear.bias[:, None]


def _norm(norm: Norm, x: jax.Array, eps: float) -> jax.Array:
    """Apply LayerNorm over axis 0 of [D, N], in float32."""
    y = x.astype(jnp.float32)
    centred = y - y.mean(axis=0, keepdims=True)
    scaled = centred * jax.lax.rsqrt(jnp.square(centred).mean(axis=0, keepdims=True) + eps)
    return (scaled * norm.scale[:, None] + norm.bias[:, None]).astype(x.dtype)


Attend = Callable[[int, jax.Array], jax.Array]


def _layers(
    config: AcousticDecoderConfig,
    weights: DecodeWeights,
    x: jax.Array,
    attend: Attend,
    cross: Attend,
) -> jax.Array:
    """Apply all pre-LN layers and the last norm to x [D, N].

    Args:
      config: of the decoder.
      weights: prepared weights.
      x: [D, N].
      attend: maps a layer's number and its qkv [3 D, N] to [D, N].
      cross: maps a layer's number and its queries [D, N] to [D, N].
    """
    eps, form = config.stack.norm_eps, weights.form
    for i, w in enumerate(weights.layers):
        qkv = _linear(w.qkv, _norm(w.attention_norm, x, eps), form)
        x = x + _linear(w.out, attend(i, qkv), form)
        if w.cross is not None:
            query = _linear(w.cross.query, _norm(w.cross.norm, x, eps), form)
            x = x + _linear(w.cross.out, cross(i, query), form)
        hidden = _linear(w.up, _norm(w.mlp_norm, x, eps), form)
        hidden = jax.nn.gelu(hidden, approximate=config.approximate_gelu)
        x = x + _linear(w.down, hidden, form)
    return _norm(weights.norm, x, eps)


def prefill(
    config: AcousticDecoderConfig,
    weights: DecodeWeights,
    patches: jax.Array,
    frames: int,
    prefix_mask: jax.Array | None = None,
    room: int | None = None,
) -> DecodeCache:
    """Encode S and create a cache with slots for ``frames`` frames, or only the first ``room`` of them.

    Args:
      config: of the decoder.
      weights: prepared weights.
      patches: S [B, P, C].
      frames: number of frames to decode.
      prefix_mask: bool [B, P], False for patches of padding.
      room: number of frames with slots; ``widen`` adds more.
    """
    batch, dtype = len(patches), weights.embedding.dtype
    visible = jnp.ones((batch, config.patches), bool) if prefix_mask is None else prefix_mask
    conditions = apply(
        Conditioner(config, dtype),
        {"params": weights.conditioner},
        hide_padding(patches, prefix_mask),
        out=Conditions,
    )
    prefix = conditions.prefix
    keys, values = _prefix_keys(config, weights, prefix, visible, batch, room or frames)
    crossed = []
    if config.condition == "cross" and prefix is not None:
        crossed = [
            _cross_keys(config, weights, w.cross.kv, prefix) for w in weights.layers if w.cross
        ]
    return DecodeCache(
        keys=keys,
        values=values,
        cross_keys=tuple(k for k, _ in crossed),
        cross_values=tuple(v for _, v in crossed),
        visible=visible,
        columns=conditions.columns,
        codes=jnp.asarray(frame_positions(config, frames), dtype),
        frame=jnp.zeros((), jnp.int32),
    )


def widen(config: AcousticDecoderConfig, cache: DecodeCache, frames: int) -> DecodeCache:
    """Extend the cache to slots for at least the first ``frames`` frames, keeping its content."""
    slots = frames + (config.patches if config.has_prefix else 0)
    extra = max(0, slots - cache.values[0].shape[1])
    if not extra:
        return cache
    return dataclasses.replace(
        cache,
        keys=tuple(jnp.pad(k, ((0, 0), (0, 0), (0, extra))) for k in cache.keys),
        values=tuple(jnp.pad(v, ((0, 0), (0, extra), (0, 0))) for v in cache.values),
    )


def _prefix_keys(
    config: AcousticDecoderConfig,
    weights: DecodeWeights,
    prefix: jax.Array | None,
    visible: jax.Array,
    batch: int,
    frames: int,
) -> tuple[tuple[jax.Array, ...], tuple[jax.Array, ...]]:
    """Compute keys and values of each layer as in ``DecodeCache``: the prefix, then zeros.

    Args:
      config: of the decoder.
      weights: prepared weights.
      prefix: [B, P, D] or None.
      visible: bool [B, P].
      batch: B.
      frames: number of empty slots.
    """
    if not config.has_prefix or prefix is None:
        rows, width = batch * config.heads, config.width // config.heads
        empty_keys = jnp.zeros((rows, width, frames), weights.embedding.dtype)
        empty_values = jnp.zeros((rows, frames, width), weights.embedding.dtype)
        return (empty_keys,) * config.depth, (empty_values,) * config.depth
    keys: list[jax.Array] = []
    values: list[jax.Array] = []
    x = rearrange(prefix, "b p d -> d (b p)")
    room = (0, frames)

    def attend(_: int, qkv: jax.Array) -> jax.Array:
        q, k, v = rearrange(qkv, "(n h e) (b p) -> n b p h e", n=3, h=config.heads, b=batch)
        keys.append(jnp.pad(rearrange(k, "b p h e -> (b h) e p"), ((0, 0), (0, 0), room)))
        values.append(jnp.pad(rearrange(v, "b p h e -> (b h) p e"), ((0, 0), room, (0, 0))))
        out = dot_product_attention(q, k, v, visible[:, None, None, :])
        return rearrange(out, "b p h e -> (h e) (b p)")

    _layers(config, weights, x, attend, attend)
    return tuple(keys), tuple(values)


def _cross_keys(
    config: AcousticDecoderConfig, weights: DecodeWeights, linear: Linear, context: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Compute cross-attention keys [B H, E, P] and values [B H, P, E] of the context [B, P, D]."""
    kv = _linear(linear, rearrange(context, "b p d -> d (b p)"), weights.form)
    k, v = rearrange(kv, "(n h e) (b p) -> n b h e p", n=2, h=config.heads, b=len(context))
    return rearrange(k, "b h e p -> (b h) e p"), rearrange(v, "b h e p -> (b h) p e")


def decode_step(
    config: AcousticDecoderConfig, weights: DecodeWeights, tokens: jax.Array, cache: DecodeCache
) -> tuple[jax.Array, DecodeCache]:
    """Decode frame ``cache.frame`` from the frame before it, int32 [B, K] (the start id at frame 0).

    Returns (logits float32 [B, K, V + 1] of HSM-TSS eq. (9), the cache of the next frame).
    """
    slot = cache.frame + (config.patches if config.has_prefix else 0)
    filled = _filled(config, cache, slot)
    keys, values = list(cache.keys), list(cache.values)

    def attend(i: int, qkv: jax.Array) -> jax.Array:
        q, k, v = rearrange(qkv, "(n h e) b -> n (b h) e", n=3, h=config.heads)
        keys[i] = jax.lax.dynamic_update_slice_in_dim(keys[i], k[:, :, None], slot, axis=2)
        values[i] = jax.lax.dynamic_update_slice_in_dim(values[i], v[:, None], slot, axis=1)
        return _attend_one(q, keys[i], values[i], filled, config.heads, weights.attention)

    def cross(i: int, query: jax.Array) -> jax.Array:
        q = rearrange(query, "(h e) b -> (b h) e", h=config.heads)
        k, v = cache.cross_keys[i], cache.cross_values[i]
        return _attend_one(q, k, v, cache.visible, config.heads, weights.attention)

    x = _layers(config, weights, _frame_input(config, weights, tokens, cache), attend, cross)
    logits = product(weights.heads.weight, x, weights.form, jnp.float32)
    logits = logits + weights.heads.bias[:, None].astype(jnp.float32)
    advanced = dataclasses.replace(
        cache, keys=tuple(keys), values=tuple(values), frame=cache.frame + 1
    )
    return rearrange(logits, "(k v) b -> b k v", k=config.groups), advanced


def _filled(config: AcousticDecoderConfig, cache: DecodeCache, slot: jax.Array) -> jax.Array:
    """Mark the slots that the frame in ``slot`` attends to: bool [B or 1, S]."""
    slots = cache.values[0].shape[1]
    filled = jnp.arange(slots)[None, :] <= slot
    if not config.has_prefix:
        return filled
    room = ((0, 0), (0, slots - config.patches))
    return filled & jnp.pad(cache.visible, room, constant_values=True)


def _frame_input(
    config: AcousticDecoderConfig, weights: DecodeWeights, tokens: jax.Array, cache: DecodeCache
) -> jax.Array:
    """Sum the embeddings of the previous frame, time code and column of patches: [D, B]."""
    rows = tokens + (config.codes + 1) * jnp.arange(config.groups, dtype=jnp.int32)[None, :]
    x = weights.embedding[rows].sum(axis=1)
    x = x + jax.lax.dynamic_index_in_dim(cache.codes, cache.frame)
    if cache.columns is not None:
        column = jnp.minimum(cache.frame // FRAMES_PER_COLUMN, config.time_patches - 1)
        x = x + jax.lax.dynamic_index_in_dim(cache.columns, column, axis=1, keepdims=False)
    return rearrange(x, "b d -> d b")


def _attend_one(
    q: jax.Array,
    k: jax.Array,
    v: jax.Array,
    visible: jax.Array,
    heads: int,
    form: AttentionForm,
) -> jax.Array:
    """Attend with one query per row -> [D, B].

    Args:
      q: query [B H, E].
      k: keys [B H, E, S].
      v: values [B H, S, E].
      visible: bool [B or 1, S].
      heads: H.
      form: of the contractions.
    """
    logits = _contract(q * q.shape[-1] ** -0.5, k, form)
    by_row = rearrange(logits, "(b h) s -> b h s", h=heads)
    weights = jax.nn.softmax(jnp.where(visible[:, None, :], by_row, NEG_INF), axis=-1)
    out = _contract(rearrange(weights, "b h s -> (b h) s"), v, form)
    return rearrange(out.astype(v.dtype), "(b h) e -> (h e) b", h=heads)


def _contract(x: jax.Array, cached: jax.Array, form: AttentionForm) -> jax.Array:
    """Contract x [N, I] with cached [N, I, J] -> float32 [N, J]."""
    if form == "sums":
        return jnp.sum(x.astype(jnp.float32)[:, :, None] * cached.astype(jnp.float32), axis=1)
    rows = (((2,), (1,)), ((0,), (0,)))
    x = x.astype(cached.dtype)[:, None]
    out = jax.lax.dot_general(x, cached, rows, preferred_element_type=jnp.float32)
    return out[:, 0]
