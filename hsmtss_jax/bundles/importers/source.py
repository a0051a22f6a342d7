"""Locate weights: a file, a folder, or a model of the Hugging Face hub."""

import os
from collections.abc import Sequence
from pathlib import Path

from hsmtss_jax.bundles.hub import download, is_hub_id

_WEIGHTS = ("model*.safetensors", "pytorch_model*.bin")  # tried in this order


def locate(source: str, extras: Sequence[str] = ()) -> Path:
    """Return the file or folder ``source``, or the local copy of the hub model "owner/name".

    extras: files of the model needed beside its weights (config.json).

    Raises:
      FileNotFoundError: neither a path nor a hub id.
      OSError: the hub cannot be reached, or has no such model or no such files.
    """
    path = Path(os.path.expanduser(source))
    if path.exists():
        return path
    if not is_hub_id(source):
        raise FileNotFoundError(
            f"no file or folder {source}: correct the path, or give a hub id (owner/name)"
        )
    return _download(source, extras)


def public_name(source: str) -> str:
    """Return the hub id, or the last part of a path, so that bundles do not contain local paths."""
    path = Path(os.path.expanduser(source))
    return path.resolve().name if path.exists() else source


def _download(model: str, extras: Sequence[str]) -> Path:
    """Download weights and ``extras`` of a hub model; PyTorch files only if there are no safetensors."""
    for weights in _WEIGHTS:
        folder = download(model, [*extras, weights], [*extras, "model.safetensors"])
        if any(folder.glob(weights)):
            return folder
    raise FileNotFoundError(
        f"the hub model {model} has neither {_WEIGHTS[0]} nor {_WEIGHTS[1]}: "
        "download its weights by hand and give the file"
    )
