"""Weights of the acoustic decoder for step-wise decoding, prepared once from the trained ones.

The layers are unrolled, and each product's weights are stored in the order that the step contracts them
in (``DecodeForm``).

Legend: D width, K groups, V codes, N positions x batch.
"""

from collections.abc import Mapping
from typing import Any, Literal

import flax.struct
import jax
import jax.numpy as jnp
from einops import rearrange

from hsmtss_jax.models.acoustic_decoder.model import AcousticDecoderConfig

DecodeForm = Literal["batch_last", "out_in", "in_out"]
FORMS: tuple[DecodeForm, ...] = ("batch_last", "out_in", "in_out")
AttentionForm = Literal["products", "sums"]
ATTENTION_FORMS: tuple[AttentionForm, ...] = ("products", "sums")


def default_form() -> DecodeForm:
    """Return the form of products for the current backend: the one place to change it.

    batch_last was the fastest of the three on CPU at every batch up to 16. On accelerators, where the
    compiler chooses layouts, ``hsmtss speed decoder --forms`` compares them.
    """
    return "batch_last"


def default_attention() -> AttentionForm:
    """Return how a query is contracted with the cache: the one place to change it.

    products: batched matrix-vector products, which the CPU compiler runs on one core, at 1.3 times the
    speed per core of the others. sums: element-wise products and their sums in float32, which it spreads
    over all cores. ``hsmtss speed decoder --attention`` compares them.
    """
    return "products"


def product(weight: jax.Array, x: jax.Array, form: DecodeForm, dtype: Any = None) -> jax.Array:
    """Multiply [in, N] -> [out, N]; accumulated and returned in ``dtype`` (default: x's).

    weight: [in, out] for in_out, else [out, in]. batch_last: W x. out_in: x^T with W along its last
    axis. in_out: x^T W.
    """
    dtype = dtype or x.dtype
    if form == "batch_last":
        return jnp.matmul(weight, x, preferred_element_type=dtype)
    along = 1 if form == "out_in" else 0
    contracted = (((1,), (along,)), ((), ()))
    return jax.lax.dot_general(x.T, weight, contracted, preferred_element_type=dtype).T


@flax.struct.dataclass
class Linear:
    """Hold W [out, in] ([in, out] for the form in_out) and b [out]."""

    weight: jax.Array
    bias: jax.Array


@flax.struct.dataclass
class Norm:
    """Hold LayerNorm scale and bias, each [D]."""

    scale: jax.Array
    bias: jax.Array


@flax.struct.dataclass
class CrossWeights:
    """Hold the cross-attention weights of one layer. kv: two projections stacked."""

    norm: Norm
    query: Linear
    kv: Linear
    out: Linear


@flax.struct.dataclass
class LayerWeights:
    """Hold the weights of one layer. qkv: three projections stacked."""

    attention_norm: Norm
    qkv: Linear
    out: Linear
    mlp_norm: Norm
    up: Linear
    down: Linear
    cross: CrossWeights | None


@flax.struct.dataclass
class DecodeWeights:
    """Hold the weights of a step. embedding: [K (V + 1), D]; heads: D -> K (V + 1)."""

    conditioner: Any
    embedding: jax.Array
    layers: tuple[LayerWeights, ...]
    norm: Norm
    heads: Linear
    form: DecodeForm = flax.struct.field(pytree_node=False, default="batch_last")
    attention: AttentionForm = flax.struct.field(pytree_node=False, default="products")


def prepare_decode(
    config: AcousticDecoderConfig,
    params: Mapping[str, Any],
    dtype: Any = jnp.float32,
    form: DecodeForm | None = None,
    attention: AttentionForm | None = None,
) -> DecodeWeights:
    """Unroll and transpose the trained parameters, once, before the time loop.

    Args:
      config: of the decoder.
      params: trained parameters.
      dtype: of the prepared weights.
      form: layout of the products' weights, default ``default_form()``.
      attention: contraction with the cache, default ``default_attention()``.
    """
    form = form or default_form()
    params = jax.tree.map(lambda x: jnp.asarray(x, dtype), params)
    blocks = params["stack"]["blocks"]
    layers = [
        _layer_weights(jax.tree.map(lambda x, i=i: x[i], blocks), form) for i in range(config.depth)
    ]
    heads = {
        "kernel": rearrange(params["head_kernel"], "k d v -> d (k v)"),
        "bias": rearrange(params["head_bias"], "k v -> (k v)"),
    }
    return DecodeWeights(
        conditioner=params["conditioner"],
        embedding=rearrange(params["embedding"], "k v d -> (k v) d"),
        layers=tuple(layers),
        norm=Norm(**params["stack"]["norm"]),
        heads=_stack(form, heads),
        form=form,
        attention=attention or default_attention(),
    )


def _layer_weights(block: Mapping[str, Any], form: DecodeForm) -> LayerWeights:
    attention = block["attention"]
    return LayerWeights(
        attention_norm=Norm(**block["attention_norm"]),
        qkv=_stack(form, attention["query"], attention["key"], attention["value"]),
        out=_stack(form, attention["out"]),
        mlp_norm=Norm(**block["mlp_norm"]),
        up=_stack(form, block["mlp"]["up"]),
        down=_stack(form, block["mlp"]["down"]),
        cross=_cross_weights(block, form) if "cross_attention" in block else None,
    )


def _cross_weights(block: Mapping[str, Any], form: DecodeForm) -> CrossWeights:
    cross = block["cross_attention"]
    return CrossWeights(
        norm=Norm(**block["cross_norm"]),
        query=_stack(form, cross["query"]),
        kv=_stack(form, cross["key"], cross["value"]),
        out=_stack(form, cross["out"]),
    )


def _stack(form: DecodeForm, *denses: Mapping[str, Any]) -> Linear:
    """Concatenate the [in, out] kernels of Dense layers of one input as one Linear, laid out for ``form``."""
    kernel = jnp.concatenate([dense["kernel"] for dense in denses], axis=1)
    return Linear(
        weight=kernel if form == "in_out" else kernel.T,
        bias=jnp.concatenate([dense["bias"] for dense in denses]),
    )
