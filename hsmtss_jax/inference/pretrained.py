"""From a name to a system that is ready to run: which bundle, in which type, on which device."""

import os
from importlib import resources
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from hsmtss_jax.hub import download, is_hub_id
from hsmtss_jax.inference.pipeline import load_pipeline
from hsmtss_jax.inference.system import System

DTYPES = {"auto": None, "float32": jnp.float32, "bfloat16": jnp.bfloat16}
_FILES = ("*.json", "*.safetensors", "*/*.json", "*/*.safetensors")


def demo_bundle() -> Path:
    """The folder of the demo bundle inside the package."""
    return Path(str(resources.files("hsmtss_jax") / "assets" / "demo"))


def load_system(
    source: str | os.PathLike[str] | None = None, dtype: str = "auto", device: str | None = None
) -> System:
    """source: the folder of a pipeline bundle, the hub id of one ("owner/name"), None: the demo bundle.

    dtype: auto (float32 on a CPU, else bfloat16) | float32 | bfloat16. device: a platform ("cpu",
    "gpu", "tpu"), with a number behind a colon for another than its first. Raises ValueError or OSError.
    """
    if dtype not in DTYPES:
        raise ValueError(f"unknown dtype {dtype!r}: choose one of {', '.join(DTYPES)}")
    place = find_device(device)
    pipeline = load_pipeline(locate(source))
    try:
        return System(pipeline, DTYPES[dtype], place)
    except (KeyError, TypeError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise ValueError(f"{pipeline.path} does not fit this version ({reason})") from error


def locate(source: str | os.PathLike[str] | None) -> Path:
    """The folder of a bundle: a folder is itself; a hub id is downloaded into the hub's own cache."""
    if source is None:
        return demo_bundle()
    path = Path(source).expanduser()
    if not path.exists() and is_hub_id(os.fspath(source)):
        return download(os.fspath(source), _FILES, ["all JSON and safetensors files"])
    return path


def find_device(name: str | None) -> Any:
    """The jax device "cpu", "gpu", "tpu" or "gpu:1"; None is the default. Raises ValueError."""
    if name is None:
        return None
    platform, _, number = name.partition(":")
    try:
        devices = jax.local_devices(backend=platform)
        return devices[int(number or 0)]
    except (RuntimeError, IndexError, ValueError) as error:
        here = ", ".join(f"{device.platform}:{device.id}" for device in jax.local_devices())
        raise ValueError(f"no device {name!r} here: there is {here}") from error
