"""Release bundles: a folder with ``bundle.json`` and ``model.safetensors``. Nothing is ever unpickled.

Tensors are named by their path in the parameter tree ("encoder/layers/kernel"). A bundle may be stored
in a smaller type; it is always read back as float32. Two sums keep it honest: ``digest`` names the
weights before storage rounding, so an int8 copy is still recognised as the model others were trained
against; ``content`` covers the bytes on disk and is checked on every load.
"""

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import ml_dtypes
import numpy as np
import safetensors
import safetensors.numpy

from hsmtss_jax.atomic import current_folder, replace_folder
from hsmtss_jax.bundles.sanity import (
    check_finite,
    check_header,
    check_numbers,
    is_own_file,
    read_json,
)

FORMAT_VERSION = 1
Storage = Literal["float32", "bfloat16", "float16", "int8"]
STORAGES = get_args(Storage)
_SCALE = "::scale"
_SMALL = 4096  # elements; smaller tensors, and vectors, stay float32
_STACK = 64  # a first axis up to this long may be a stack of layers: it keeps its own scales
_HEADER, _WEIGHTS = "bundle.json", "model.safetensors"


@dataclasses.dataclass(frozen=True)
class Bundle:
    """Hold one stage's released weights in memory.

    stage: the stage's registry name. config: its StageConfig as plain JSON. params: nested dict of
    numpy arrays. digest: sha256 of the weights and config. upstream: name -> digest of the bundles it
    was trained against. files: extra files by name (tokenizer). meta: licence, data, anything to say.
    """

    stage: str
    config: Mapping[str, Any]
    params: Mapping[str, Any]
    digest: str = ""
    upstream: Mapping[str, str] = dataclasses.field(default_factory=dict)
    files: Mapping[str, bytes] = dataclasses.field(default_factory=dict)
    meta: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    path: Path | None = None


def with_digest(bundle: Bundle) -> Bundle:
    """Return the bundle with its digest, which is otherwise set when it is saved."""
    return dataclasses.replace(
        bundle, digest=bundle.digest or _digest(bundle, flatten(bundle.params))
    )


def check_upstream(bundles: Mapping[str, Bundle]) -> None:
    """Raise ValueError where a bundle was trained against other weights than those given beside it."""
    for name, bundle in bundles.items():
        for other, digest in bundle.upstream.items():
            if other in bundles and bundles[other].digest != digest:
                raise ValueError(
                    f"{_named(name, bundle)} was trained against {other} {digest[:12]}, but "
                    f"{_named(other, bundles[other])} is {bundles[other].digest[:12]}: use the bundle that "
                    "it was trained with, or train it again"
                )


def _named(name: str, bundle: Bundle) -> str:
    return name if bundle.path is None else f"{name} at {bundle.path}"


def save_bundle(folder: str | Path, bundle: Bundle, storage: str = "float32") -> Bundle:
    """Write a bundle, replacing one already there; return it with ``digest`` and ``path`` set.

    storage: float32 | bfloat16 | float16 | int8 (symmetric, a scale per output channel, per row for
    embedding tables). Vectors and small tensors stay float32, integers stay as they are.
    A digest already set is kept: it names the weights this bundle is a copy of. Build a new Bundle,
    with no digest, for new weights.

    Raises:
      ValueError: unknown storage, a name that cannot be stored, a folder that holds something else.
    """
    folder = Path(folder)
    if storage not in STORAGES:
        raise ValueError(f"unknown storage {storage!r}: choose one of {', '.join(STORAGES)}")
    check_destination(folder)
    tensors = flatten(bundle.params)
    check_finite(tensors, bundle.stage)
    check_numbers(bundle.config, f"{bundle.stage}: config")
    digest = bundle.digest or _digest(bundle, tensors)
    with replace_folder(folder) as partial:
        _write(partial, bundle, _encode(tensors, storage), digest, storage)
    return dataclasses.replace(bundle, digest=digest, path=folder)


def check_destination(folder: str | os.PathLike[str], header: str = _HEADER) -> None:
    """Raise ValueError where no bundle can be written: a file, or a folder that holds something else.

    header: the file by which a bundle that may be replaced is known.
    """
    folder = Path(folder)
    above = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not above.is_dir():
        raise ValueError(f"{above} is a file: choose another folder")
    if folder.exists() and any(folder.iterdir()) and not (folder / header).is_file():
        raise ValueError(f"{folder} holds something that is not a bundle: choose another folder")


def load_bundle(folder: str | Path) -> Bundle:
    """Read a bundle; stored weights come back as float32 numpy arrays.

    Raises:
      FileNotFoundError: nothing there.
      ValueError: not a bundle, a newer format, or damaged files.
    """
    folder = Path(folder)
    source = current_folder(folder)
    if not source.exists():
        raise FileNotFoundError(
            f"no bundle at {folder}: train that stage first or correct the path"
        )
    header = _read_header(source, folder)
    _check_content(source, folder, header)
    tensors = _decode(_read_tensors(source, folder))
    check_finite(tensors, str(folder))
    params = unflatten(tensors)
    files = {name: (source / name).read_bytes() for name in header["files"]}
    known = {key: header[key] for key in ("stage", "config", "digest", "upstream", "meta")}
    return Bundle(params=params, files=files, path=folder, **known)


def load_bundles(paths: Mapping[str, str | Path]) -> dict[str, Bundle]:
    """Load bundles by name; each must have been trained against the others given.

    Raises as ``load_bundle`` does, and ValueError for two bundles that disagree about a third.
    """
    bundles = {name: load_bundle(path) for name, path in paths.items()}
    check_upstream(bundles)
    return bundles


def is_bundle(folder: str | Path) -> bool:
    """Return whether the folder looks like a bundle (its contents are not checked)."""
    return (Path(folder) / _HEADER).is_file()


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, np.ndarray]:
    """Flatten a nested dict of arrays to {"a/b/c": array}, sorted by name.

    Raises:
      ValueError: a key that is empty or holds "/" or "::".
    """
    flat: dict[str, np.ndarray] = {}
    for key in sorted(tree):
        if not key or "/" in key or "::" in key:
            raise ValueError(
                f"parameter name {key!r} under {prefix!r} cannot be stored in a bundle"
            )
        value = tree[key]
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{key}/"))
        else:
            flat[prefix + key] = np.ascontiguousarray(value).reshape(np.shape(value))
    return flat


def unflatten(flat: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Invert ``flatten`` (empty dicts are not kept)."""
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        *parents, leaf = name.split("/")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[leaf] = value
    return tree


def _encode(tensors: Mapping[str, np.ndarray], storage: str) -> dict[str, np.ndarray]:
    """Convert tensors to what is stored of them."""
    stored: dict[str, np.ndarray] = {}
    for name, value in tensors.items():
        if not np.issubdtype(value.dtype, np.floating) and value.dtype != ml_dtypes.bfloat16:
            stored[name] = value
        elif value.ndim < 2 or value.size < _SMALL or storage == "float32":
            stored[name] = value.astype(np.float32)
        elif storage == "int8":
            stored[name], stored[name + _SCALE] = _quantise(value.astype(np.float32), name)
        elif storage == "float16" and np.abs(value).max() > np.finfo(np.float16).max:
            stored[name] = value.astype(np.float32)
        else:
            stored[name] = value.astype(np.float16 if storage == "float16" else ml_dtypes.bfloat16)
    return stored


def _quantise(value: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Quantise float32 to int8 in -127..127 and a float32 scale that broadcasts over it."""
    if not np.isfinite(value).all():
        raise ValueError(f"{name} holds NaN or infinity and cannot be stored as int8")
    peak = np.abs(value).max(axis=_shared_axes(value, name), keepdims=True)
    scale = np.where(peak > 0, peak / 127, 1).astype(np.float32)
    return np.rint(value / scale).astype(np.int8), scale


def _shared_axes(value: np.ndarray, name: str) -> tuple[int, ...]:
    """Return the axes along which a scale is shared: all but the channel (and a stack's layer)."""
    if value.ndim == 2 and name.endswith("embedding"):
        return (1,)
    stacked = value.ndim > 2 and value.shape[0] <= _STACK
    return tuple(range(1 if stacked else 0, value.ndim - 1))


def _decode(stored: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Convert stored tensors to float32 (integers that carry no scale stay integers)."""
    tensors = {}
    for name, value in stored.items():
        if name.endswith(_SCALE):
            continue
        if name + _SCALE in stored:
            value = value.astype(np.float32) * stored[name + _SCALE]
        elif np.issubdtype(value.dtype, np.floating) or value.dtype == ml_dtypes.bfloat16:
            value = value.astype(np.float32)
        tensors[name] = value
    return tensors


def _write(
    folder: Path, bundle: Bundle, stored: Mapping[str, np.ndarray], digest: str, storage: str
) -> None:
    for name, content in bundle.files.items():
        if Path(name).name != name or name in (_HEADER, _WEIGHTS):
            raise ValueError(f"extra file {name!r} needs a plain name other than a bundle's own")
        (folder / name).write_bytes(content)
    safetensors.numpy.save_file(dict(stored), folder / _WEIGHTS)
    os.chmod(folder / _WEIGHTS, 0o644)  # safetensors creates it for the owner alone
    header = {
        "format_version": FORMAT_VERSION,
        "stage": bundle.stage,
        "config": bundle.config,
        "upstream": dict(bundle.upstream),
        "meta": dict(bundle.meta),
        "storage": storage,
        "digest": digest,
        "tensors": sorted(stored),
        "files": sorted(bundle.files),
    }
    header["content"] = _content(folder, header)
    try:
        text = json.dumps(header, indent=2, sort_keys=True, allow_nan=False)
    except ValueError as error:
        raise ValueError(f"{bundle.stage}: a number in its meta data is not finite") from error
    (folder / _HEADER).write_text(text + "\n")


def _read_header(source: Path, folder: Path) -> dict[str, Any]:
    """Read ``bundle.json`` and check that it is one we can read."""
    if not (source / _HEADER).is_file():
        raise ValueError(f"{folder} is not a bundle: it has no {_HEADER}")
    try:
        header = read_json(source / _HEADER)
        version = header["format_version"]
        if not isinstance(version, int) or isinstance(version, bool):
            raise ValueError("its version is no number")
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{folder} is not a bundle: its {_HEADER} cannot be read ({error})"
        ) from error
    if version > FORMAT_VERSION:
        raise ValueError(
            f"{folder} has bundle format {version}, this version reads up to {FORMAT_VERSION}: update"
        )
    needed = {"stage", "config", "upstream", "meta", "digest", "content", "files", "tensors"}
    if missing := needed - set(header):
        raise ValueError(f"{folder}/{_HEADER} lacks {', '.join(sorted(missing))}")
    check_header(header, f"{folder}/{_HEADER}")
    return header


def _check_content(source: Path, folder: Path, header: Mapping[str, Any]) -> None:
    for name in (_WEIGHTS, *header["files"]):
        if Path(name).name != name or not (source / name).is_file():
            raise ValueError(f"bundle {folder} lacks its file {name!r}: copy it again")
        if not is_own_file(source / name):
            raise ValueError(f"bundle {folder}: its file {name!r} is a link to somewhere else")
    _check_safetensors(source, folder, header)
    if _content(source, header) != header["content"]:
        raise ValueError(f"bundle {folder} is damaged (its digest does not match): copy it again")


def _check_safetensors(source: Path, folder: Path, header: Mapping[str, Any]) -> None:
    try:
        with safetensors.safe_open(source / _WEIGHTS, framework="np") as opened:
            names = set(opened.keys())
    except (safetensors.SafetensorError, OSError) as error:
        raise ValueError(f"{folder}/{_WEIGHTS} is truncated or damaged: copy it again") from error
    if odd := names ^ set(header["tensors"]):
        raise ValueError(f"{folder}: {_WEIGHTS} and {_HEADER} differ on tensor {min(odd)!r}")
    for name in names:
        if name.endswith(_SCALE) and name.removesuffix(_SCALE) not in names:
            raise ValueError(f"{folder}: {name!r} scales a tensor that is not there")


def _read_tensors(source: Path, folder: Path) -> dict[str, np.ndarray]:
    try:
        return safetensors.numpy.load_file(source / _WEIGHTS)
    except (safetensors.SafetensorError, OSError) as error:
        raise ValueError(f"{folder}/{_WEIGHTS} cannot be read: copy it again") from error


def _content(folder: Path, header: Mapping[str, Any]) -> str:
    """Compute the sha256 over the header (but for the sum itself) and every file beside it."""
    covered = {key: value for key, value in header.items() if key != "content"}
    total = hashlib.sha256(_canonical(covered))
    for name in (_WEIGHTS, *header["files"]):
        with open(folder / name, "rb") as opened:
            total.update(hashlib.file_digest(opened, "sha256").digest())
    return total.hexdigest()


def _digest(bundle: Bundle, tensors: Mapping[str, np.ndarray]) -> str:
    """Compute the sha256 over stage, config and the unrounded tensors."""
    total = hashlib.sha256(_canonical([bundle.stage, bundle.config]))
    for name, value in tensors.items():
        total.update(_canonical([name, str(value.dtype), list(value.shape)]))
        total.update(value.tobytes())
    return total.hexdigest()


def _canonical(value: Any) -> bytes:
    """Serialise to JSON bytes that do not depend on key order or tuples."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
