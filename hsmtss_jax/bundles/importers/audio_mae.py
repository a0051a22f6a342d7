"""Import public AudioMAE encoders: the official layout and timm's, which share their names.

The official code lays out its fixed 2-D position table for a grid of 8 x 64 patches while the tokens run
over 64 x 8, so a row does not encode the place of its token. The weights were trained with it: it is
imported unchanged, as data of the checkpoint.

Legend: D width, P patch side, N patches, T x F grid of patches.
"""

import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.bundles.importers.mapping import (
    TORCH,
    LayerNames,
    Origin,
    State,
    fit,
    shapes_of,
    transformer_origins,
)
from hsmtss_jax.models.audio_mae import AudioMAEConfig

HEAD_WIDTH = 64  # of every published ViT

_NAMES = LayerNames(
    attention_norm="blocks.{i}.norm1",
    qkv="blocks.{i}.attn.qkv",
    out="blocks.{i}.attn.proj",
    mlp_norm="blocks.{i}.norm2",
    up="blocks.{i}.mlp.fc1",
    down="blocks.{i}.mlp.fc2",
    norm="norm",
)
_IGNORED = r"decoder_|mask_token$|head\."  # the decoder of pre-training, a classifier


def audio_mae_config(state: State, heads: int | None = None, n_mels: int = 128) -> AudioMAEConfig:
    """Derive our config from the shapes of a state dict; ``heads`` (default D / 64) cannot be derived.

    Raises:
      ValueError: the shapes are not an AudioMAE's.
    """
    names = {_rename(key): key for key in state}
    if missing := {"patch_embed.proj.weight", "pos_embed"} - names.keys():
        raise ValueError(
            f"the checkpoint is missing {', '.join(sorted(missing))}: it is no AudioMAE; "
            "give the official pretrained.pth or a timm port of it"
        )
    kernel = state[names["patch_embed.proj.weight"]].shape
    if len(kernel) != 4 or kernel[1] != 1 or kernel[2] != kernel[3]:
        raise ValueError(
            f"patch_embed.proj.weight has shape {kernel}: AudioMAE's is (width, 1, patch, patch)"
        )
    width, patch, cls_token = kernel[0], kernel[2], "cls_token" in names
    table = state[names["pos_embed"]].shape
    bands = n_mels // patch
    if len(table) != 3 or (table[1] - cls_token) % bands or table[1] <= cls_token:
        raise ValueError(f"pos_embed has shape {table}: its tokens do not fill {bands} bands")
    if heads is None and width % HEAD_WIDTH:
        raise ValueError(f"a width of {width} does not say how many heads there are: give --heads")
    layers = [re.match(r"blocks\.(\d+)\.", name) for name in names]
    return AudioMAEConfig(
        frames=(table[1] - cls_token) // bands * patch,
        n_mels=n_mels,
        patch=patch,
        width=width,
        depth=1 + max((int(found[1]) for found in layers if found), default=0),
        heads=heads or width // HEAD_WIDTH,
        cls_token=cls_token,
        position_table=True,
    )


def import_audio_mae(config: AudioMAEConfig, state: State) -> dict[str, Any]:
    """Convert a state dict to ``{"encoder": ...}``, parameters for ``config.make()``'s ``encode``.

    Names may start with ``module.``, ``model.`` or ``encoder.``. Decoder and classifier are left out.

    Raises:
      ValueError: keys are missing, unexpected or of another shape; the message names them.
    """
    names = {_rename(key) for key in state}
    if "fc_norm.weight" in names and "norm.weight" not in names:
        raise ValueError(
            "the checkpoint has fc_norm in place of norm: it was fine-tuned to classify the mean of "
            "its tokens, which have no norm of their own; give a pre-trained file"
        )
    x = jax.ShapeDtypeStruct((1, config.frames, config.n_mels), jnp.float32)
    shapes = shapes_of(lambda key, x: config.make().init(key, x, method="encode"), x)
    what = "an AudioMAE encoder"
    return fit(what, state, _origins(config), shapes, ignored=_IGNORED, rename=_rename)


def _origins(config: AudioMAEConfig) -> dict[str, Origin]:
    origins = transformer_origins(_NAMES, config.depth, TORCH, "encoder/transformer")
    origins["encoder/patch_embed/kernel"] = Origin(("patch_embed.proj.weight",), _flat_patches)
    origins["encoder/patch_embed/bias"] = Origin(("patch_embed.proj.bias",))
    origins["encoder/pos"] = Origin(("pos_embed",))
    if config.cls_token:
        origins["encoder/cls_token"] = Origin(("cls_token",))
    return origins


def _flat_patches(kernel: np.ndarray) -> np.ndarray:
    """Convert a convolution [D, 1, P, P] over time and frequency -> [P * P, D], frequency fastest."""
    return kernel.reshape(kernel.shape[0], -1).T


def _rename(key: str) -> str:
    return re.sub(r"^((module|model|encoder)\.)+", "", key)
