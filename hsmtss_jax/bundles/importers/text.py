"""Import public T5 and BERT encoder weights (Hugging Face names).

All sizes of FLAN-T5 and T5 v1.1 (gated GELU); BERT and models of its layout (MiniLM sentence encoders).
"""

import re
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from hsmtss_jax.bundles.importers.mapping import (
    Origin,
    State,
    fit,
    require,
    shapes_of,
    sizes,
    transpose,
)
from hsmtss_jax.models.text.encoder import TextEncoderConfig

# Our module -> theirs, in a layer.
_BERT_DENSE = {
    "attention/query": "attention.self.query",
    "attention/key": "attention.self.key",
    "attention/value": "attention.self.value",
    "attention/out": "attention.output.dense",
    "up": "intermediate.dense",
    "down": "output.dense",
}
_BERT_NORM = {"attention_norm": "attention.output.LayerNorm", "mlp_norm": "output.LayerNorm"}
_T5_DENSE = {
    "query": "layer.0.SelfAttention.q",
    "key": "layer.0.SelfAttention.k",
    "value": "layer.0.SelfAttention.v",
    "out": "layer.0.SelfAttention.o",
    "gate": "layer.1.DenseReluDense.wi_0",
    "up": "layer.1.DenseReluDense.wi_1",
    "down": "layer.1.DenseReluDense.wo",
}
_T5_NORM = {"attention_norm": "layer.0.layer_norm", "mlp_norm": "layer.1.layer_norm"}
# Our parameter -> their tensor, outside the layers.
_BERT = {
    "embedding/embedding": "embeddings.word_embeddings.weight",
    "stack/position/embedding": "embeddings.position_embeddings.weight",
    "stack/segment/embedding": "embeddings.token_type_embeddings.weight",
    "stack/norm/scale": "embeddings.LayerNorm.weight",
    "stack/norm/bias": "embeddings.LayerNorm.bias",
}
_T5 = {
    "embedding/embedding": "shared.weight",
    "stack/relative_bias/embedding": (
        "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
    ),
    "stack/norm/scale": "encoder.final_layer_norm.weight",
}
_T5_ALIAS = "encoder.embed_tokens.weight"
# Present in public files, not part of the encoder we build.
_IGNORED = {
    "t5": r"decoder\.|lm_head\.|encoder\.embed_tokens\.",
    "bert": r"embeddings\.position_ids$|pooler\.|cls\.",
}


def text_encoder_config(hf: Mapping[str, Any]) -> TextEncoderConfig:
    """Derive our config from a Hugging Face ``config.json``.

    Raises:
      ValueError: the architecture differs from FLAN-T5 or BERT in a way that we do not model.
    """
    kind = hf.get("model_type")
    if kind not in ("t5", "bert"):
        raise ValueError(
            f"model_type {kind!r} is not a text encoder we read: use a t5 or bert model"
        )
    return _t5_config(hf) if kind == "t5" else _bert_config(hf)


def _t5_config(hf: Mapping[str, Any]) -> TextEncoderConfig:
    # T5 of 2019 has no such entry and a plain ReLU; v1.1 and FLAN are gated.
    require({"feed_forward_proj": "relu"} | dict(hf), feed_forward_proj="gated-gelu")
    return TextEncoderConfig(
        kind="t5",
        **sizes(
            hf,
            vocab="vocab_size",
            width="d_model",
            depth="num_layers",
            heads="num_heads",
            head_dim="d_kv",
            mlp="d_ff",
        ),
        norm_eps=hf.get("layer_norm_epsilon", 1e-6),
        buckets=hf.get("relative_attention_num_buckets", 32),
        max_distance=hf.get("relative_attention_max_distance", 128),
    )


def _bert_config(hf: Mapping[str, Any]) -> TextEncoderConfig:
    require(hf, hidden_act="gelu", position_embedding_type="absolute", is_decoder=False)
    found = sizes(
        hf,
        vocab="vocab_size",
        width="hidden_size",
        depth="num_hidden_layers",
        heads="num_attention_heads",
        mlp="intermediate_size",
        max_positions="max_position_embeddings",
    )
    return TextEncoderConfig(
        kind="bert",
        **found,
        head_dim=found["width"] // found["heads"],
        norm_eps=hf.get("layer_norm_eps", 1e-12),
        segments=hf.get("type_vocab_size", 2),
    )


def import_text_encoder(config: TextEncoderConfig, state: State) -> dict[str, Any]:
    """Convert a state dict with Hugging Face names to a parameter tree for ``config.make()``.

    Names may start with ``module.``, ``model.`` or ``bert.``, norms may have the older ``gamma`` and
    ``beta``. Decoder, LM head and pooler are left out.

    Raises:
      ValueError: keys are missing, unexpected or of another shape; the message names them.
    """
    t5 = config.kind == "t5"
    names = {_bare(key) for key in state}
    alias = t5 and "shared.weight" not in names and _T5_ALIAS in names

    def rename(key: str) -> str:
        key = _bare(key)
        if alias and key == _T5_ALIAS:
            return "shared.weight"
        key = re.sub(r"LayerNorm\.gamma$", "LayerNorm.weight", key)
        return re.sub(r"LayerNorm\.beta$", "LayerNorm.bias", key)

    what = "a FLAN-T5 encoder" if t5 else "a BERT encoder"
    ids = jax.ShapeDtypeStruct((1, 2), jnp.int32)
    mask = jax.ShapeDtypeStruct((1, 2), jnp.bool_)
    shapes = shapes_of(config.make().init, ids, mask)
    return fit(
        what, state, encoder_origins(config), shapes, ignored=_IGNORED[config.kind], rename=rename
    )


def _bare(key: str) -> str:
    return re.sub(r"^((module|model|bert)\.)+", "", key)


def encoder_origins(config: TextEncoderConfig) -> dict[str, Origin]:
    """Return where each parameter of ``config.make()`` comes from, by Hugging Face's names."""
    t5 = config.kind == "t5"
    prefix = "encoder.block" if t5 else "encoder.layer"
    origins = {ours: Origin((theirs,)) for ours, theirs in (_T5 if t5 else _BERT).items()}

    def layers(theirs: str) -> tuple[str, ...]:
        return tuple(f"{prefix}.{i}.{theirs}" for i in range(config.depth))

    for ours, theirs in (_T5_DENSE if t5 else _BERT_DENSE).items():
        kernel = Origin(layers(f"{theirs}.weight"), transpose, stacked=True)
        origins[f"stack/layers/{ours}/kernel"] = kernel
        if not t5:
            origins[f"stack/layers/{ours}/bias"] = Origin(layers(f"{theirs}.bias"), stacked=True)
    for ours, theirs in (_T5_NORM if t5 else _BERT_NORM).items():
        origins[f"stack/layers/{ours}/scale"] = Origin(layers(f"{theirs}.weight"), stacked=True)
        if not t5:
            origins[f"stack/layers/{ours}/bias"] = Origin(layers(f"{theirs}.bias"), stacked=True)
    return origins
