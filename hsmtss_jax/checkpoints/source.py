"""Where weights come from: a file, a folder, or a model of the Hugging Face hub."""

import re
from collections.abc import Sequence
from pathlib import Path

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_WEIGHTS = ("model*.safetensors", "pytorch_model*.bin")  # tried in this order


def locate(source: str, extras: Sequence[str] = ()) -> Path:
    """The file or folder ``source``, or the local copy of the hub model "owner/name".

    extras: files of the model needed beside its weights (config.json).

    Raises:
      FileNotFoundError: neither a path nor a hub id.
      OSError: the hub cannot be reached, or has no such model or no such files.
    """
    path = Path(source).expanduser()
    if path.exists():
        return path
    if not _HUB_ID.fullmatch(source):
        raise FileNotFoundError(
            f"no file or folder {source}: correct the path, or give a hub id (owner/name)"
        )
    return _download(source, extras)


def _download(model: str, extras: Sequence[str]) -> Path:
    """Weights and ``extras`` of a hub model in the hub's own cache; PyTorch files only if no safetensors."""
    from huggingface_hub import snapshot_download

    by_hand = ", ".join([*extras, "model.safetensors"])
    for weights in _WEIGHTS:
        try:
            folder = Path(snapshot_download(model, allow_patterns=[*extras, weights]))
        except Exception as error:  # its HTTP client's errors have no common public base
            raise OSError(
                f"no path {model} here, and it could not be downloaded from the hub "
                f"({type(error).__name__}): check the name and the network, or download {by_hand} of "
                "it by hand into a folder and give that folder"
            ) from error
        if any(folder.glob(weights)):
            return folder
    raise FileNotFoundError(
        f"the hub model {model} has neither {_WEIGHTS[0]} nor {_WEIGHTS[1]}: "
        "download its weights by hand and give the file"
    )
