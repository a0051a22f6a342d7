"""Import the encoder blocks of a public MW-MAE checkpoint (Yadav et al. 2023; flax names).

Its front end (80 mels, 4 x 16 patches, 2 s) differs from AudioMAE's, so patch embedding, positions and the
windows of its decoder cannot be used. The remaining blocks and last norm can initialise a pre-training;
they are no encoder by themselves.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict

from hsmtss_jax.bundles.importers.audio_mae import HEAD_WIDTH
from hsmtss_jax.bundles.importers.mapping import (
    FLAX,
    LayerNames,
    State,
    fit,
    shapes_of,
    transformer_origins,
)
from hsmtss_jax.models.audio_mae import AudioMAEConfig

_NAMES = LayerNames(
    attention_norm="encoder_block_{i:02d}/LayerNorm_0",
    qkv="encoder_block_{i:02d}/Attention_0/Dense_0",
    out="encoder_block_{i:02d}/Attention_0/Dense_1",
    mlp_norm="encoder_block_{i:02d}/LayerNorm_1",
    up="encoder_block_{i:02d}/Mlp_0/Dense_0",
    down="encoder_block_{i:02d}/Mlp_0/Dense_1",
    norm="encoder_norm",
)
_FIRST = "encoder_block_00"
_IGNORED = r"(?!encoder_)"  # all but blocks and norm
_NOT_WEIGHTS = ("opt_state", "optimizer", "buffers", "batch_stats")


def mw_mae_state(tree: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Flatten the parameters of a checkpoint tree by path ("encoder_block_00/LayerNorm_0/scale").

    Raises:
      ValueError: there are none, or more than one set.
    """
    found = list(_parameters(tree))
    if len(found) != 1:
        raise ValueError(
            f"the checkpoint has {len(found)} trees with {_FIRST}: give the file of an MW-MAE, "
            "with one set of parameters"
        )
    return {path: np.asarray(leaf) for path, leaf in flatten_dict(found[0], sep="/").items()}


def mw_mae_config(state: State, heads: int | None = None) -> AudioMAEConfig:
    """Derive the config of an AudioMAE with these blocks; ``heads`` (default width / 64) cannot be derived.

    Raises:
      ValueError: the shapes are not an MW-MAE's.
    """
    norm = f"{_FIRST}/LayerNorm_0/scale"
    if norm not in state:
        raise ValueError(f"the checkpoint is missing {norm}: give the file of an MW-MAE")
    width = state[norm].shape[-1]
    if heads is None and width % HEAD_WIDTH:
        raise ValueError(f"a width of {width} does not say how many heads there are: give --heads")
    layers = {found[1] for key in state if (found := re.match(r"encoder_block_(\d+)/", key))}
    return AudioMAEConfig(width=width, depth=len(layers), heads=heads or width // HEAD_WIDTH)


def import_mw_mae(config: AudioMAEConfig, state: State) -> dict[str, Any]:
    """Convert to ``{"encoder": {"transformer": ...}}``, paths within AudioMAE's parameters.

    Raises:
      ValueError: keys are missing, unexpected or of another shape; the message names them.
    """
    root = "encoder/transformer"
    x = jax.ShapeDtypeStruct((1, 2, config.width), jnp.float32)
    blocks = shapes_of(config.encoder.make().init, x)
    shapes = {f"{root}/{path}": shape for path, shape in blocks.items()}
    origins = transformer_origins(_NAMES, config.depth, FLAX, root)
    return fit("an MW-MAE encoder", state, origins, shapes, ignored=_IGNORED)


def _parameters(tree: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield every mapping in the tree that contains the first block, except the optimiser's."""
    if _FIRST in tree:
        yield tree
        return
    for name, child in tree.items():
        if isinstance(child, Mapping) and name not in _NOT_WEIGHTS:
            yield from _parameters(child)
