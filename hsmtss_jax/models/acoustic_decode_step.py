"""One-frame decoding of the acoustic decoder: prepared weights, prefill, step with an explicit cache.

The layers are unrolled and the batch is the last axis, W [out, in] @ x [in, N]: at small batches a step
is bound by reading weights, and this form reads each of them once, in order.

Legend: B batch, P patches, M columns, S cache slots (P + T), T frames, K groups, V codes, D width,
H heads, E head width, N positions x batch.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
from einops import rearrange

from hsmtss_jax.models.acoustic_decoder import (
    FRAMES_PER_COLUMN,
    AcousticDecoderConfig,
    Conditioner,
    Conditions,
    frame_positions,
)
from hsmtss_jax.nn.attention import NEG_INF, dot_product_attention


@flax.struct.dataclass
class Linear:
    """W [out, in] and b [out]."""

    weight: jax.Array
    bias: jax.Array


@flax.struct.dataclass
class Norm:
    """LayerNorm scale and bias, each [D]."""

    scale: jax.Array
    bias: jax.Array


@flax.struct.dataclass
class CrossWeights:
    """Cross-attention of one layer. kv: two projections stacked."""

    norm: Norm
    query: Linear
    kv: Linear
    out: Linear


@flax.struct.dataclass
class LayerWeights:
    """One layer. qkv: three projections stacked."""

    attention_norm: Norm
    qkv: Linear
    out: Linear
    mlp_norm: Norm
    up: Linear
    down: Linear
    cross: CrossWeights | None


@flax.struct.dataclass
class DecodeWeights:
    """Weights of a step. embedding: [K (V + 1), D]; heads: [K (V + 1), D]."""

    conditioner: Any
    embedding: jax.Array
    layers: tuple[LayerWeights, ...]
    norm: Norm
    heads: Linear


@flax.struct.dataclass
class DecodeCache:
    """What a step reads and writes. keys, values: a layer each, [B, H, S, E]; frame: the next frame.

    visible: bool [B, P], the patches that may be looked at. cross_keys, cross_values: [B, H, P, E] a
    layer (empty without cross-attention). columns: [B, M, D] or None. codes: [T, D] time code.
    """

    keys: tuple[jax.Array, ...]
    values: tuple[jax.Array, ...]
    cross_keys: tuple[jax.Array, ...]
    cross_values: tuple[jax.Array, ...]
    visible: jax.Array
    columns: jax.Array | None
    codes: jax.Array
    frame: jax.Array


def prepare_decode(
    config: AcousticDecoderConfig, params: Mapping[str, Any], dtype: Any = jnp.float32
) -> DecodeWeights:
    """Unroll and transpose the trained parameters, in ``dtype``; do it once, before the time loop."""
    params = jax.tree.map(lambda x: jnp.asarray(x, dtype), params)
    blocks = params["stack"]["blocks"]
    layers = [
        _layer_weights(jax.tree.map(lambda x, i=i: x[i], blocks)) for i in range(config.depth)
    ]
    return DecodeWeights(
        conditioner=params["conditioner"],
        embedding=rearrange(params["embedding"], "k v d -> (k v) d"),
        layers=tuple(layers),
        norm=Norm(**params["stack"]["norm"]),
        heads=Linear(
            weight=rearrange(params["head_kernel"], "k d v -> (k v) d"),
            bias=rearrange(params["head_bias"], "k v -> (k v)"),
        ),
    )


def _layer_weights(block: Mapping[str, Any]) -> LayerWeights:
    attention = block["attention"]
    cross = _cross_weights(block) if "cross_attention" in block else None
    return LayerWeights(
        attention_norm=Norm(**block["attention_norm"]),
        qkv=_stack(attention["query"], attention["key"], attention["value"]),
        out=_stack(attention["out"]),
        mlp_norm=Norm(**block["mlp_norm"]),
        up=_stack(block["mlp"]["up"]),
        down=_stack(block["mlp"]["down"]),
        cross=cross,
    )


def _cross_weights(block: Mapping[str, Any]) -> CrossWeights:
    cross = block["cross_attention"]
    return CrossWeights(
        norm=Norm(**block["cross_norm"]),
        query=_stack(cross["query"]),
        kv=_stack(cross["key"], cross["value"]),
        out=_stack(cross["out"]),
    )


def _stack(*denses: Mapping[str, Any]) -> Linear:
    """Dense layers of one input as one Linear: [in, out] kernels -> [sum of out, in]."""
    return Linear(
        weight=jnp.concatenate([dense["kernel"].T for dense in denses]),
        bias=jnp.concatenate([dense["bias"] for dense in denses]),
    )


def _linear(linear: Linear, x: jax.Array) -> jax.Array:
    """[in, N] -> [out, N]."""
    return linear.weight @ x + linear.bias[:, None]


def _norm(norm: Norm, x: jax.Array, eps: float) -> jax.Array:
    """LayerNorm over axis 0 of [D, N], in float32."""
    y = x.astype(jnp.float32)
    centred = y - y.mean(axis=0, keepdims=True)
    scaled = centred * jax.lax.rsqrt(jnp.square(centred).mean(axis=0, keepdims=True) + eps)
    return (scaled * norm.scale[:, None] + norm.bias[:, None]).astype(x.dtype)


Attend = Callable[[jax.Array], jax.Array]


def _block(
    config: AcousticDecoderConfig, w: LayerWeights, x: jax.Array, attend: Attend, cross: Attend
) -> jax.Array:
    """One pre-LN layer on x [D, N]; attend maps qkv [3 D, N], cross maps queries [D, N], to [D, N]."""
    eps = config.stack.norm_eps
    x = x + _linear(w.out, attend(_linear(w.qkv, _norm(w.attention_norm, x, eps))))
    if w.cross is not None:
        query = _linear(w.cross.query, _norm(w.cross.norm, x, eps))
        x = x + _linear(w.cross.out, cross(query))
    hidden = _linear(w.up, _norm(w.mlp_norm, x, eps))
    return x + _linear(w.down, jax.nn.gelu(hidden, approximate=config.approximate_gelu))


def prefill(
    config: AcousticDecoderConfig,
    weights: DecodeWeights,
    patches: jax.Array,
    frames: int,
    prefix_mask: jax.Array | None = None,
) -> DecodeCache:
    """Read S [B, P, C] and make room for ``frames`` frames.

    prefix_mask: bool [B, P], False for patches of padding.
    """
    batch, dtype = len(patches), weights.embedding.dtype
    conditions = Conditioner(config, dtype).apply({"params": weights.conditioner}, patches)
    assert isinstance(conditions, Conditions)
    prefix = conditions.prefix
    visible = jnp.ones((batch, config.patches), bool) if prefix_mask is None else prefix_mask
    keys, values = _prefix_keys(config, weights, prefix, visible, batch, frames)
    crossed = []
    if config.condition == "cross" and prefix is not None:
        crossed = [_cross_keys(config, w.cross.kv, prefix) for w in weights.layers if w.cross]
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


def _prefix_keys(
    config: AcousticDecoderConfig,
    weights: DecodeWeights,
    prefix: jax.Array | None,
    visible: jax.Array,
    batch: int,
    frames: int,
) -> tuple[tuple[jax.Array, ...], tuple[jax.Array, ...]]:
    """Keys and values [B, H, S, E] a layer, the prefix in the first slots, zeros behind it."""
    if not config.has_prefix or prefix is None:
        shape = (batch, config.heads, frames, config.width // config.heads)
        empty = jnp.zeros(shape, weights.embedding.dtype)
        return (empty,) * config.depth, (empty,) * config.depth
    keys: list[jax.Array] = []
    values: list[jax.Array] = []
    x = rearrange(prefix, "b p d -> d (b p)")
    room = ((0, 0), (0, 0), (0, frames), (0, 0))

    def attend(qkv: jax.Array) -> jax.Array:
        q, k, v = rearrange(qkv, "(n h e) (b p) -> n b p h e", n=3, h=config.heads, b=batch)
        keys.append(jnp.pad(rearrange(k, "b p h e -> b h p e"), room))
        values.append(jnp.pad(rearrange(v, "b p h e -> b h p e"), room))
        out = dot_product_attention(q, k, v, visible[:, None, None, :])
        return rearrange(out, "b p h e -> (h e) (b p)")

    for w in weights.layers:
        x = _block(config, w, x, attend, attend)
    return tuple(keys), tuple(values)


def _cross_keys(
    config: AcousticDecoderConfig, linear: Linear, context: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Cross-attention keys and values of the context [B, P, D], each [B, H, P, E]."""
    kv = _linear(linear, rearrange(context, "b p d -> d (b p)"))
    k, v = rearrange(kv, "(n h e) (b p) -> n b h p e", n=2, h=config.heads, b=len(context))
    return k, v


def decode_step(
    config: AcousticDecoderConfig, weights: DecodeWeights, tokens: jax.Array, cache: DecodeCache
) -> tuple[jax.Array, DecodeCache]:
    """Frame ``cache.frame`` from the frame before it, int32 [B, K] (the start id at frame 0).

    Returns (logits float32 [B, K, V + 1], the cache of the next frame).
    """
    prefix = config.patches if config.has_prefix else 0
    slot = prefix + cache.frame
    filled = jnp.arange(cache.keys[0].shape[2])[None, :] <= slot
    if prefix:
        room = ((0, 0), (0, filled.shape[1] - prefix))
        filled = filled & jnp.pad(cache.visible, room, constant_values=True)
    keys, values = [], []
    x = _frame_input(config, weights, tokens, cache)
    for i, w in enumerate(weights.layers):

        def attend(qkv: jax.Array, i: int = i) -> jax.Array:
            q, k, v = rearrange(qkv, "(n h e) b -> n b h e", n=3, h=config.heads)
            keys.append(_write(cache.keys[i], k, slot))
            values.append(_write(cache.values[i], v, slot))
            return _attend_one(q, keys[-1], values[-1], filled)

        def cross(query: jax.Array, i: int = i) -> jax.Array:
            q = rearrange(query, "(h e) b -> b h e", h=config.heads)
            return _attend_one(q, cache.cross_keys[i], cache.cross_values[i], cache.visible)

        x = _block(config, w, x, attend, cross)
    x = _norm(weights.norm, x, config.stack.norm_eps)
    product = jnp.matmul(weights.heads.weight, x, preferred_element_type=jnp.float32)
    logits = product + weights.heads.bias[:, None].astype(jnp.float32)
    advanced = dataclasses.replace(
        cache, keys=tuple(keys), values=tuple(values), frame=cache.frame + 1
    )
    return rearrange(logits, "(k v) b -> b k v", k=config.groups), advanced


def _frame_input(
    config: AcousticDecoderConfig, weights: DecodeWeights, tokens: jax.Array, cache: DecodeCache
) -> jax.Array:
    """[D, B]: embeddings of the previous frame, time code, column of patches."""
    rows = tokens + (config.codes + 1) * jnp.arange(config.groups, dtype=jnp.int32)[None, :]
    x = weights.embedding[rows].sum(axis=1)
    x = x + jax.lax.dynamic_index_in_dim(cache.codes, cache.frame)
    if cache.columns is not None:
        column = jnp.minimum(cache.frame // FRAMES_PER_COLUMN, config.time_patches - 1)
        x = x + jax.lax.dynamic_index_in_dim(cache.columns, column, axis=1, keepdims=False)
    return rearrange(x, "b d -> d b")


def _write(slots: jax.Array, new: jax.Array, slot: jax.Array) -> jax.Array:
    """Put [B, H, E] into slot ``slot`` of [B, H, S, E]."""
    return jax.lax.dynamic_update_slice_in_dim(slots, new[:, :, None], slot, axis=2)


def _attend_one(q: jax.Array, k: jax.Array, v: jax.Array, visible: jax.Array) -> jax.Array:
    """One query a row: q [B, H, E] over k, v [B, H, S, E], visible [B or 1, S] -> [D, B]."""
    scale = q.shape[-1] ** -0.5
    logits = jnp.einsum("bhe,bhse->bhs", q, k, preferred_element_type=jnp.float32) * scale
    weights = jax.nn.softmax(jnp.where(visible[:, None, :], logits, NEG_INF), axis=-1)
    out = jnp.einsum("bhs,bhse->bhe", weights.astype(v.dtype), v)
    return rearrange(out, "b h e -> (h e) b")
