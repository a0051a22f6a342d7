"""Import public GPT-2 weights (Hugging Face names). Their kernels are stored [in, out]."""

import re
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.bundles.importers.mapping import (
    CONV1D,
    LayerNames,
    Origin,
    State,
    fit,
    require,
    shapes_of,
    sizes,
    transformer_origins,
)
from hsmtss_jax.models.gpt2 import GPT2Config

_NAMES = LayerNames(
    attention_norm="h.{i}.ln_1",
    qkv="h.{i}.attn.c_attn",
    out="h.{i}.attn.c_proj",
    mlp_norm="h.{i}.ln_2",
    up="h.{i}.mlp.c_fc",
    down="h.{i}.mlp.c_proj",
    norm="ln_f",
)
_IGNORED = r"h\.\d+\.attn\.(bias|masked_bias)$|lm_head\."  # causal masks; the tied head


def gpt2_config(hf: Mapping[str, Any]) -> GPT2Config:
    """Derive our config from a Hugging Face ``config.json``.

    Raises:
      ValueError: the architecture differs from GPT-2's in a way that we do not model.
    """
    if hf.get("model_type") != "gpt2":
        raise ValueError(f"model_type {hf.get('model_type')!r} is not GPT-2: use a gpt2 model")
    require(
        hf,
        activation_function="gelu_new",
        scale_attn_weights=True,
        scale_attn_by_inverse_layer_idx=False,
        add_cross_attention=False,
        tie_word_embeddings=True,
    )
    found = sizes(
        hf,
        vocab="vocab_size",
        width="n_embd",
        depth="n_layer",
        heads="n_head",
        max_positions="n_positions",
    )
    config = GPT2Config(norm_eps=hf.get("layer_norm_epsilon", 1e-5), **found)
    if hf.get("n_inner") not in (None, 4 * config.width):
        raise ValueError(f"n_inner={hf['n_inner']} in config.json is not supported: 4 n_embd is")
    return config


def import_gpt2(config: GPT2Config, state: State) -> dict[str, Any]:
    """Convert a state dict with Hugging Face names to a parameter tree for ``config.make()``.

    Names may start with ``module.`` or ``transformer.``.

    Raises:
      ValueError: keys are missing, unexpected or of another shape (the message names them), or the output
        head differs from the token table.
    """
    origins = transformer_origins(_NAMES, config.depth, CONV1D, "stack")
    origins["embedding/embedding"] = Origin(("wte.weight",))
    origins["position/embedding"] = Origin(("wpe.weight",))
    shapes = shapes_of(config.make().init, jax.ShapeDtypeStruct((1, 2), jnp.int32))
    params = fit("GPT-2", state, origins, shapes, ignored=_IGNORED, rename=_rename)
    for key in state:
        if _rename(key) != "lm_head.weight":
            continue
        head = state[key].astype(np.float32)
        if not np.array_equal(head, params["embedding"]["embedding"]):
            raise ValueError(
                "lm_head.weight is not the token table: only GPT-2 with a tied output head is read"
            )
    return params


def _rename(key: str) -> str:
    return re.sub(r"^((module|transformer)\.)+", "", key)
