"""Import the text tower of public CLAP checkpoints (LAION's, Hugging Face's ports of them).

A file of a LAION training run names it text_branch and text_projection, behind "module."; transformers
names it text_model and text_projection.linear1; AudioSep's checkpoint holds all of CLAP under
"query_encoder.model.". The audio tower and what was used in training alone are left out.

Legend: C width, E width of the shared space.
"""

import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.bundles.importers.mapping import Origin, State, fit, shapes_of, transpose
from hsmtss_jax.bundles.importers.text import encoder_origins
from hsmtss_jax.models.text.clap import ClapTextConfig
from hsmtss_jax.models.text.encoder import TextEncoderConfig

_WHAT = "CLAP's text tower"
_UNREAD = 2  # rows of the position table: RoBERTa counts from behind the padding token, number 1
_HEAD = 64  # usual width of an attention head
_PREFIX = r"^((module|query_encoder|model|clap)\.)+"
_HF = {
    "text_model.": "text_branch.",
    "text_projection.linear1.": "text_projection.0.",
    "text_projection.linear2.": "text_projection.2.",
}
_IGNORED = (
    r"text_branch\.embeddings\.(position_ids|token_type_ids)$|text_transform\.|"
    r"audio_(branch|model|projection|transform)\.|logit_scale|ss_model\."
)
_SHAPES = {  # what the config is read from, and the rank of each
    "text_branch.embeddings.word_embeddings.weight": 2,
    "text_branch.embeddings.position_embeddings.weight": 2,
    "text_branch.embeddings.token_type_embeddings.weight": 2,
    "text_branch.encoder.layer.0.intermediate.dense.weight": 2,
    "text_projection.0.weight": 2,
}
_DENSE = {
    "pooler": "text_branch.pooler.dense",
    "hidden": "text_projection.0",
    "out": "text_projection.2",
}


def holds_clap_text(state: State) -> bool:
    """Return whether there is a CLAP text tower among the tensors."""
    names = {_rename(name) for name in state}
    return next(iter(_SHAPES)) in names


def clap_text_config(state: State, heads: int | None = None) -> ClapTextConfig:
    """Derive our config from the shapes of a state dict.

    heads: of attention, which the file does not contain (default: 64 wide).

    Raises:
      ValueError: it holds no RoBERTa text tower, or its width does not divide into heads.
    """
    shapes = {_rename(name): np.shape(value) for name, value in state.items()}
    if missing := sorted(_SHAPES.keys() - shapes.keys()):
        raise ValueError(
            f"the checkpoint is missing {', '.join(missing)}: it holds no {_WHAT}; give LAION's "
            "music_speech_audioset_epoch_15_esc_89.98.pt with --clap"
        )
    for name, rank in _SHAPES.items():
        if len(shapes[name]) != rank:
            raise ValueError(f"{name} has shape {shapes[name]}: {_WHAT} has {rank} axes there")
    words, positions, segments, up, hidden = (shapes[name] for name in _SHAPES)
    width = words[1]
    heads = heads or max(1, width // _HEAD)
    if width % heads:
        raise ValueError(f"a width of {width} does not divide into {heads} heads: give --heads")
    layers = [re.match(r"text_branch\.encoder\.layer\.(\d+)\.", name) for name in shapes]
    return ClapTextConfig(
        encoder=TextEncoderConfig(
            kind="bert",
            vocab=words[0],
            width=width,
            depth=1 + max(int(match[1]) for match in layers if match),
            heads=heads,
            head_dim=width // heads,
            mlp=up[0],
            norm_eps=1e-5,
            max_positions=positions[0] - _UNREAD,
            segments=segments[0],
        ),
        embedding=hidden[0],
    )


def import_clap_text(config: ClapTextConfig, state: State) -> dict[str, Any]:
    """Convert a state dict to a parameter tree for ``config.make()``.

    Raises:
      ValueError: tensors are missing, unexpected or of another shape; the message names them.
    """
    ids = jax.ShapeDtypeStruct((1, 2), jnp.int32)
    mask = jax.ShapeDtypeStruct((1, 2), jnp.bool_)
    shapes = shapes_of(config.make().init, ids, mask)
    return fit(_WHAT, state, _origins(config), shapes, ignored=_IGNORED, rename=_rename)


def _origins(config: ClapTextConfig) -> dict[str, Origin]:
    origins = {
        f"encoder/{ours}": Origin(
            tuple(f"text_branch.{key}" for key in origin.keys), origin.convert, origin.stacked
        )
        for ours, origin in encoder_origins(config.encoder).items()
    }
    table = origins["encoder/stack/position/embedding"]
    origins["encoder/stack/position/embedding"] = Origin(table.keys, _read_rows)
    for ours, theirs in _DENSE.items():
        origins[f"{ours}/kernel"] = Origin((f"{theirs}.weight",), transpose)
        origins[f"{ours}/bias"] = Origin((f"{theirs}.bias",))
    return origins


def _read_rows(table: np.ndarray) -> np.ndarray:
    """Drop the rows of the position table that no token reads: [2 + N, C] -> [N, C]."""
    return table[_UNREAD:]


def _rename(key: str) -> str:
    key = re.sub(_PREFIX, "", key)
    for theirs, ours in _HF.items():
        if key.startswith(theirs):
            return ours + key.removeprefix(theirs)
    return key
