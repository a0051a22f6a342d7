"""Read public weight files without unpickling: safetensors, flax msgpack, PyTorch files as an extra."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import ml_dtypes  # noqa: F401  # teaches numpy, and so safetensors, bfloat16
import numpy as np
import safetensors

TORCH_SUFFIXES = (".pth", ".pt", ".bin", ".ckpt")
_WRAPPERS = ("model", "state_dict", "gen")  # where a training script puts the weights
_SHARDED = "-of-"
# Numbers of numpy that training scripts keep beside the weights, under the names of all its versions.
_NUMBERS = (
    *("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "numpy.dtype"),
    *(f"numpy.dtypes.{name}DType" for name in ("Float64", "Float32", "Int64")),
)


class _Unread:
    """Stand in for a value that is no tensor; nothing is done with what it is made from."""

    def __init__(self, *args: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass


class SafetensorsFiles(Mapping[str, np.ndarray]):
    """Map names to the tensors of one or more safetensors files; each is read on demand."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Open the files. Raises ValueError for a damaged file, or a tensor in two files."""
        self._homes: dict[str, Path] = {}
        for path in paths:
            try:
                with safetensors.safe_open(path, framework="np") as opened:
                    names = list(opened.keys())
            except safetensors.SafetensorError as error:
                raise ValueError(
                    f"{path} is truncated or not a safetensors file: download it again"
                ) from error
            for name in names:
                if name in self._homes:
                    raise ValueError(f"{path} and {self._homes[name]} both hold {name}: give one")
                self._homes[name] = path

    def __getitem__(self, name: str) -> np.ndarray:
        with safetensors.safe_open(self._homes[name], framework="np") as opened:
            try:
                return opened.get_tensor(name)
            except (AttributeError, TypeError, KeyError) as error:  # a type that numpy lacks
                kind = opened.get_slice(name).get_dtype()
                raise ValueError(
                    f"{name} holds {kind} values: quantised weights are not read, give the float ones"
                ) from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._homes)

    def __len__(self) -> int:
        return len(self._homes)


def read_state(path: Path) -> Mapping[str, np.ndarray]:
    """Read name -> array of a ``.safetensors`` or PyTorch file, or of the weights in a model folder.

    Raises:
      FileNotFoundError: there are no weights.
      ValueError: a damaged file, another format, PyTorch not installed.
    """
    files = weight_files(path) if path.is_dir() else [path]
    if files[0].suffix == ".safetensors":
        return SafetensorsFiles(files)
    if files[0].suffix in TORCH_SUFFIXES:
        state: dict[str, np.ndarray] = {}
        for file in files:
            state |= _read_torch(file)
        return state
    raise ValueError(f"{path} is no weight file: give a .safetensors file, or a .pth or .bin one")


def weight_files(folder: Path) -> list[Path]:
    """List the files that together hold a model's weights; safetensors are preferred to PyTorch files.

    Raises:
      FileNotFoundError: there is none.
      ValueError: several that are not the shards of one model.
    """
    for suffix in (".safetensors", *TORCH_SUFFIXES):
        files = sorted(file for file in folder.glob(f"*{suffix}") if file.is_file())
        named = [file for file in files if file.stem in ("model", "pytorch_model")]
        if named:
            return named
        if files and all(_SHARDED in file.name for file in files):
            return _all_shards(files)
        if len(files) == 1:
            return files
        if files:
            raise ValueError(
                f"{folder} has several weight files ({files[0].name}, {files[1].name}): give one"
            )
    raise FileNotFoundError(
        f"{folder} has no .safetensors, .pth or .bin file: download the weights"
    )


def read_flax(path: Path) -> dict[str, Any]:
    """Read the tree of a ``flax.serialization`` file (msgpack, as written by ``save_checkpoint``).

    Raises:
      FileNotFoundError: no such file.
      ValueError: a folder, or another format.
    """
    from flax import serialization

    if path.is_dir():
        raise ValueError(
            f"{path} is a folder: give the msgpack file in it (an orbax checkpoint must be written "
            "as one first, with flax.serialization.msgpack_serialize)"
        )
    try:
        tree = serialization.msgpack_restore(path.read_bytes())
    except (ValueError, KeyError, TypeError) as error:  # msgpack's own errors are ValueErrors
        raise ValueError(f"{path} is truncated or not flax msgpack: download it again") from error
    if not isinstance(tree, Mapping):
        raise ValueError(f"{path} holds no parameter tree: give a flax checkpoint")
    return dict(tree)


def _all_shards(files: list[Path]) -> list[Path]:
    """Return ``files`` if their number matches their names (NAME-00001-of-00005)."""
    count = files[0].stem.rsplit(_SHARDED, 1)[1]
    if not count.isdigit() or len(files) != int(count):
        raise FileNotFoundError(
            f"{files[0].parent} has {len(files)} of {count} weight shards: download the others"
        )
    return files


def _read_torch(path: Path) -> dict[str, np.ndarray]:
    try:
        import torch
    except ModuleNotFoundError as error:
        raise ValueError(
            f"{path} is a PyTorch file, read only with PyTorch: pip install 'hsmtss-jax[torch]', "
            "or give a .safetensors file"
        ) from error
    # training scripts keep their command line and their scores beside the weights
    options: list[Any] = [argparse.Namespace, *((_Unread, name) for name in _NUMBERS)]
    try:
        with torch.serialization.safe_globals(options):
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except (FileNotFoundError, PermissionError):
        raise
    except Exception as error:  # a damaged file fails in as many ways as there are
        raise ValueError(
            f"{path} is damaged, or holds more than tensors and is not unpickled: download it again, "
            "or save its tensors alone as .safetensors"
        ) from error
    for key in _WRAPPERS:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping):
            loaded = loaded[key]
    if not isinstance(loaded, Mapping) or not any(torch.is_tensor(x) for x in loaded.values()):
        raise ValueError(f"{path} holds no state dict: give the file of a model's weights")
    return {name: _array(name, x) for name, x in loaded.items() if torch.is_tensor(x)}


def _array(name: str, tensor: Any) -> np.ndarray:
    try:
        return (tensor.float() if tensor.is_floating_point() else tensor).numpy()
    except (TypeError, RuntimeError) as error:
        raise ValueError(
            f"{name} holds {tensor.dtype} values, {tensor.layout}: give a file of dense floats"
        ) from error
