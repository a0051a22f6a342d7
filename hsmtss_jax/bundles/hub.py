"""Locate bundles: the demo inside the package, a folder, or a model of the Hugging Face hub.

The only file that accesses the hub, and the only one that knows the demo bundle's folder.
"""

import os
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

_FILES = ("*.json", "*.safetensors", "*/*.json", "*/*.safetensors")  # of a pipeline bundle
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def demo_bundle() -> Path:
    """Return the folder of the demo bundle inside the package."""
    return Path(str(resources.files("hsmtss_jax") / "assets" / "demo"))


def locate(source: str | os.PathLike[str] | None) -> Path:
    """Return the folder of a bundle.

    A folder is returned as it is, a hub id ("owner/name") is downloaded into the hub's own cache, None is the
    demo bundle.
    """
    if source is None:
        return demo_bundle()
    path = Path(os.path.expanduser(source))
    if not path.exists() and is_hub_id(os.fspath(source)):
        return download(os.fspath(source), _FILES, ["all JSON and safetensors files"])
    return path


def is_hub_id(source: str) -> bool:
    """Return whether ``source`` has the form of a hub id, "owner/name"."""
    return _HUB_ID.fullmatch(source) is not None


def download(model: str, patterns: Sequence[str], by_hand: Sequence[str]) -> Path:
    """Download the files of ``model`` that match ``patterns``, and return their folder in the hub's cache.

    by_hand: files to name in the error, for manual download.

    Raises:
      OSError: the hub cannot be reached or has no such model.
    """
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(model, allow_patterns=list(patterns)))
    except Exception as error:  # its HTTP client's errors have no common public base
        raise OSError(
            f"no path {model} here, and it could not be downloaded from the hub "
            f"({type(error).__name__}): check the name and the network, or download "
            f"{', '.join(by_hand)} of it by hand into a folder and give that folder"
        ) from error
