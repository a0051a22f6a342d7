"""Public T5 and BERT encoder weights (safetensors, Hugging Face names) to our parameter trees.

Legend: C width, L layers; a torch Linear weight is [out, in], a flax kernel [in, out].
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from hsmtss_jax.models.text_encoder import TextEncoderConfig

State = Mapping[str, np.ndarray]

_LINEAR = {"weight": "kernel", "bias": "bias"}
_NORM = {"weight": "scale", "bias": "bias"}

# Their module -> (our path, their leaf -> our leaf). {i} is the layer.
_BERT_LAYER = {
    "attention.self.query": ("attention/query", _LINEAR),
    "attention.self.key": ("attention/key", _LINEAR),
    "attention.self.value": ("attention/value", _LINEAR),
    "attention.output.dense": ("attention/out", _LINEAR),
    "attention.output.LayerNorm": ("attention_norm", _NORM),
    "intermediate.dense": ("up", _LINEAR),
    "output.dense": ("down", _LINEAR),
    "output.LayerNorm": ("mlp_norm", _NORM),
}
_BERT = {
    "embedding/embedding": "embeddings.word_embeddings.weight",
    "stack/position/embedding": "embeddings.position_embeddings.weight",
    "stack/segment/embedding": "embeddings.token_type_embeddings.weight",
    "stack/norm/scale": "embeddings.LayerNorm.weight",
    "stack/norm/bias": "embeddings.LayerNorm.bias",
}
_T5_LAYER = {
    "query/kernel": "layer.0.SelfAttention.q.weight",
    "key/kernel": "layer.0.SelfAttention.k.weight",
    "value/kernel": "layer.0.SelfAttention.v.weight",
    "out/kernel": "layer.0.SelfAttention.o.weight",
    "attention_norm/scale": "layer.0.layer_norm.weight",
    "gate/kernel": "layer.1.DenseReluDense.wi_0.weight",
    "up/kernel": "layer.1.DenseReluDense.wi_1.weight",
    "down/kernel": "layer.1.DenseReluDense.wo.weight",
    "mlp_norm/scale": "layer.1.layer_norm.weight",
}
_T5 = {
    "embedding/embedding": "shared.weight",
    "stack/relative_bias/embedding": (
        "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
    ),
    "stack/norm/scale": "encoder.final_layer_norm.weight",
}
# Present in public files, not part of the encoder we build.
_IGNORED = {
    "t5": r"decoder\.|lm_head\.|encoder\.embed_tokens\.",
    "bert": r"embeddings\.position_ids$|pooler\.|cls\.",
}


def text_encoder_config(hf: Mapping[str, Any]) -> TextEncoderConfig:
    """Our config from a Hugging Face ``config.json``.

    Raises ValueError for an architecture that differs from FLAN-T5 or BERT in a way we do not model.
    """
    kind = hf.get("model_type")
    if kind == "t5":
        _require(hf, feed_forward_proj="gated-gelu")
        return TextEncoderConfig(
            kind="t5",
            vocab=hf["vocab_size"],
            width=hf["d_model"],
            depth=hf["num_layers"],
            heads=hf["num_heads"],
            head_dim=hf["d_kv"],
            mlp=hf["d_ff"],
            norm_eps=hf.get("layer_norm_epsilon", 1e-6),
            buckets=hf.get("relative_attention_num_buckets", 32),
            max_distance=hf.get("relative_attention_max_distance", 128),
        )
    if kind == "bert":
        _require(hf, hidden_act="gelu", position_embedding_type="absolute")
        return TextEncoderConfig(
            kind="bert",
            vocab=hf["vocab_size"],
            width=hf["hidden_size"],
            depth=hf["num_hidden_layers"],
            heads=hf["num_attention_heads"],
            head_dim=hf["hidden_size"] // hf["num_attention_heads"],
            mlp=hf["intermediate_size"],
            norm_eps=hf.get("layer_norm_eps", 1e-12),
            max_positions=hf["max_position_embeddings"],
            segments=hf.get("type_vocab_size", 2),
        )
    raise ValueError(f"model_type {kind!r} is not a text encoder we read: use a t5 or bert model")


def import_text_encoder(config: TextEncoderConfig, state: State) -> dict[str, Any]:
    """A parameter tree for ``config.make()`` from a state dict with Hugging Face names.

    Names may carry a leading ``bert.`` or ``model.``. Decoder, LM head and pooler are left out.
    Raises ValueError naming the keys that are missing, unexpected or of another shape.
    """
    state = {re.sub(r"^(bert|model)\.", "", key): value for key, value in state.items()}
    if config.kind == "t5" and "encoder.embed_tokens.weight" in state:
        state.setdefault("shared.weight", state["encoder.embed_tokens.weight"])
    names = _names(config)
    expected = {key for keys in names.values() for key in keys}
    ignored = re.compile(_IGNORED[config.kind])
    unexpected = [k for k in state if k not in expected and not ignored.match(k)]
    _report("is missing", sorted(expected - state.keys()))
    _report("has unexpected", sorted(unexpected))
    flat = {ours: _leaf(ours, [state[key] for key in keys]) for ours, keys in names.items()}
    _check_shapes(config, flat, names)
    return unflatten_dict(flat, sep="/")


def _require(hf: Mapping[str, Any], **values: Any) -> None:
    for key, value in values.items():
        if hf.get(key, value) != value:
            raise ValueError(f"{key}={hf[key]!r} is not supported: the encoder needs {value!r}")


def _report(problem: str, keys: list[str]) -> None:
    if keys:
        more = f" and {len(keys) - 8} more" if len(keys) > 8 else ""
        raise ValueError(f"the checkpoint {problem} {', '.join(keys[:8])}{more}")


def _names(config: TextEncoderConfig) -> dict[str, list[str]]:
    """Our path -> their keys; a path under ``layers`` has one key per layer."""

    def layers(prefix: str, table: Mapping[str, str]) -> dict[str, list[str]]:
        return {
            f"stack/layers/{ours}": [f"{prefix}.{i}.{theirs}" for i in range(config.depth)]
            for ours, theirs in table.items()
        }

    if config.kind == "t5":
        top, inner = _T5, layers("encoder.block", _T5_LAYER)
    else:
        table = {
            f"{ours}/{leaf}": f"{theirs}.{name}"
            for theirs, (ours, leaves) in _BERT_LAYER.items()
            for name, leaf in leaves.items()
        }
        top, inner = _BERT, layers("encoder.layer", table)
    return {ours: [theirs] for ours, theirs in top.items()} | inner


def _leaf(path: str, arrays: Iterable[np.ndarray]) -> np.ndarray:
    """float32; kernels transposed to [in, out]; layers stacked on axis 0."""
    arrays = [np.asarray(array).astype(np.float32) for array in arrays]
    if path.endswith("kernel"):
        arrays = [array.T for array in arrays]
    return np.stack(arrays) if "/layers/" in path else arrays[0]


def _check_shapes(
    config: TextEncoderConfig, flat: Mapping[str, np.ndarray], names: Mapping[str, list[str]]
) -> None:
    ids = jax.ShapeDtypeStruct((1, 2), jnp.int32)
    mask = jax.ShapeDtypeStruct((1, 2), jnp.bool_)
    abstract = jax.eval_shape(config.make().init, jax.random.key(0), ids, mask)["params"]
    for path, leaf in flatten_dict(abstract, sep="/").items():
        if flat[path].shape != leaf.shape:
            raise ValueError(
                f"{names[path][0]} has shape {flat[path].shape} (as {path}), "
                f"the config says {leaf.shape}: check the config"
            )
