"""What a bundle may hold: finite numbers, sizes that make sense, fields of their types, files of its own."""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

LARGEST_HEADER = 64 * 2**20  # bytes of a ``bundle.json``
LARGEST_SIZE = 10**8  # of a whole number in a config: no width, length or count is larger

_TYPES: Mapping[str, type] = {
    "stage": str,
    "config": dict,
    "digest": str,
    "content": str,
    "upstream": dict,
    "meta": dict,
    "files": list,
    "tensors": list,
}


def read_json(path: Path) -> Any:
    """Read a JSON file that holds finite numbers alone.

    Raises:
      ValueError: it is too large, too deep, or no such JSON.
    """
    if path.stat().st_size > LARGEST_HEADER:
        raise ValueError(f"it has more than {LARGEST_HEADER} bytes")
    try:
        return json.loads(path.read_bytes(), parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def check_header(header: Mapping[str, Any], where: str) -> None:
    """Raise ValueError where a field of a bundle's header has another type, or its config no sense."""
    for name, kind in _TYPES.items():
        if name in header and not isinstance(header[name], kind):
            raise ValueError(f"{where}: {name!r} is no {kind.__name__}")
    for name in ("files", "tensors"):
        if not all(isinstance(item, str) for item in header.get(name, ())):
            raise ValueError(f"{where}: {name!r} holds something that is no name")
    if not all(isinstance(digest, str) for digest in header.get("upstream", {}).values()):
        raise ValueError(f"{where}: 'upstream' holds something that is no digest")
    check_numbers(header.get("config", {}), f"{where}: config")


def check_numbers(value: Any, path: str) -> None:
    """Raise ValueError for a number in a config that is not finite, or too large to be a size."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            check_numbers(item, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for item in value:
            check_numbers(item, path)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{path}={value} is not finite")
    elif isinstance(value, int) and abs(value) > LARGEST_SIZE:
        raise ValueError(f"{path}={value} makes no sense: at most {LARGEST_SIZE}")


def check_finite(tensors: Mapping[str, np.ndarray], where: str) -> None:
    """Raise ValueError for a tensor that holds NaN or infinity."""
    for name, value in tensors.items():
        floating = value.dtype.kind == "f" or value.dtype == ml_dtypes.bfloat16
        if floating and not np.all(np.isfinite(value)):
            raise ValueError(f"{where}: {name} holds NaN or infinity")


def is_own_file(path: Path) -> bool:
    """Return whether a file of a bundle is in its folder, or where a hub's cache keeps its files."""
    real = Path(os.path.realpath(path))
    folder = Path(os.path.realpath(path.parent))
    caches = [above.parent / "blobs" for above in folder.parents if above.name == "snapshots"]
    return real.is_file() and any(real.is_relative_to(home) for home in (folder, *caches))


def _refuse(constant: str) -> Any:
    raise ValueError(f"it holds {constant}")
