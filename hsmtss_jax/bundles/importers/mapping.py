"""Map the names of a public file to our parameter tree, and report what does not match.

Legend: D width, L layers; a torch Linear weight is [out, in], a flax kernel and a GPT-2 weight [in, out].
"""

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import jax
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

State = Mapping[str, np.ndarray]
Convert = Callable[[np.ndarray], np.ndarray]
Rename = Callable[[str], str]

_NAMED = 4  # keys named in an error
_FLOATS = ("float16", "bfloat16", "float32", "float64")


@dataclasses.dataclass(frozen=True)
class Origin:
    """Describe where one of our parameters comes from.

    keys: its names in the file, one per layer when ``stacked`` (layers are then stacked on axis 0).
    convert: the file's array -> ours.
    """

    keys: tuple[str, ...]
    convert: Convert = np.asarray
    stacked: bool = False


@dataclasses.dataclass(frozen=True)
class Style:
    """Describe how a framework names and lays out the leaves of a module."""

    kernel: str
    bias: str
    scale: str
    transposed: bool  # kernels are [out, in]


TORCH = Style(kernel=".weight", bias=".bias", scale=".weight", transposed=True)
CONV1D = Style(kernel=".weight", bias=".bias", scale=".weight", transposed=False)  # GPT-2
FLAX = Style(kernel="/kernel", bias="/bias", scale="/scale", transposed=False)


@dataclasses.dataclass(frozen=True)
class LayerNames:
    """Name the modules of a public pre-LN transformer; ``{i}`` stands for the layer's number.

    qkv: one dense layer whose outputs are queries, keys, values, in this order.
    """

    attention_norm: str
    qkv: str
    out: str
    mlp_norm: str
    up: str
    down: str
    norm: str  # behind the last layer


def transformer_origins(
    names: LayerNames, depth: int, style: Style, root: str
) -> dict[str, Origin]:
    """Return the origins of every parameter of ``nn.transformer.Transformer`` under our path ``root``."""
    origins = {}

    def add(path: str, module: str, leaf: str, convert: Convert) -> None:
        keys = tuple(module.format(i=i) + leaf for i in range(depth))
        origins[f"{root}/blocks/{path}"] = Origin(keys, convert, stacked=True)

    dense = {"attention/out": names.out, "mlp/up": names.up, "mlp/down": names.down}
    kernel: Convert = transpose if style.transposed else np.asarray
    for path, module in dense.items():
        add(f"{path}/kernel", module, style.kernel, kernel)
        add(f"{path}/bias", module, style.bias, np.asarray)
    for third, name in enumerate(("query", "key", "value")):
        convert = third_of_rows(third) if style.transposed else third_of_columns(third)
        add(f"attention/{name}/kernel", names.qkv, style.kernel, convert)
        add(f"attention/{name}/bias", names.qkv, style.bias, third_of_columns(third))
    for path, module in {
        "attention_norm": names.attention_norm,
        "mlp_norm": names.mlp_norm,
    }.items():
        add(f"{path}/scale", module, style.scale, np.asarray)
        add(f"{path}/bias", module, style.bias, np.asarray)
    origins[f"{root}/norm/scale"] = Origin((names.norm + style.scale,))
    origins[f"{root}/norm/bias"] = Origin((names.norm + style.bias,))
    return origins


def transpose(array: np.ndarray) -> np.ndarray:
    """Transpose [out, in] -> [in, out]."""
    return array.T


def conv_kernel(weight: np.ndarray) -> np.ndarray:
    """Transpose [O, I, H, W] -> [H, W, I, O]."""
    return weight.transpose(2, 3, 1, 0)


def batch_norm(ours: str, theirs: str) -> Iterator[tuple[str, Origin]]:
    """Yield the origins of a BatchNorm of PyTorch: scale and bias, mean and variance."""
    for path, name in (
        ("params/{}/scale", "weight"),
        ("params/{}/bias", "bias"),
        ("batch_stats/{}/mean", "running_mean"),
        ("batch_stats/{}/var", "running_var"),
    ):
        yield path.format(ours), Origin((f"{theirs}.{name}",))


def third_of_columns(third: int) -> Convert:
    """Return a conversion [..., 3 D] -> its part number ``third``, [..., D]."""

    def convert(array: np.ndarray) -> np.ndarray:
        return array.reshape(*array.shape[:-1], 3, -1)[..., third, :]

    return convert


def third_of_rows(third: int) -> Convert:
    """Return a conversion [3 D, in] -> its part number ``third``, transposed: [in, D]."""

    def convert(array: np.ndarray) -> np.ndarray:
        return third_of_columns(third)(array.T)

    return convert


def shapes_of(
    init: Callable[..., Any], *inputs: jax.ShapeDtypeStruct
) -> dict[str, tuple[int, ...]]:
    """Return our path -> shape of the parameters that ``init(key, *inputs)`` would create, by eval_shape."""
    params = jax.eval_shape(init, jax.random.key(0), *inputs)["params"]
    return {path: leaf.shape for path, leaf in flatten_dict(params, sep="/").items()}


def fit(
    what: str,
    state: State,
    origins: Mapping[str, Origin],
    shapes: Mapping[str, tuple[int, ...]],
    *,
    ignored: str,
    rename: Rename = str,
) -> dict[str, Any]:
    """Build the parameter tree, float32, from the tensors of ``state``.

    Args:
      what: name of the network, for errors.
      state: tensors by name.
      origins: our path -> where the parameter comes from.
      shapes: our path -> shape, see ``shapes_of``.
      ignored: regex for the beginning of names that public files contain and we leave out.
      rename: from the file's names to those of ``origins``.

    Raises:
      ValueError: names that are missing or unexpected, a tensor of another shape, of integers, or with
        values that are not finite.
    """
    assert set(origins) == set(shapes), set(origins) ^ set(shapes)
    names = {rename(key): key for key in state}
    expected = {key for origin in origins.values() for key in origin.keys}
    _report_missing(what, expected - names.keys())
    _report_unexpected(what, [n for n in names if n not in expected and not re.match(ignored, n)])
    flat = {
        path: _leaf(path, origin, lambda key: state[names[key]], shapes[path])
        for path, origin in origins.items()
    }
    return unflatten_dict(flat, sep="/")


def sizes(hf: Mapping[str, Any], **names: str) -> dict[str, Any]:
    """Read the positive integers under ``names`` (ours = theirs) of a ``config.json``.

    Raises:
      ValueError: one is absent or of another type.
    """
    found = {}
    for ours, theirs in names.items():
        if theirs not in hf:
            raise ValueError(f"config.json lacks {theirs!r}: use the model's own file")
        value = hf[theirs]
        if type(value) is not int or value < 1:
            raise ValueError(
                f"config.json has {theirs}={value!r}, not a positive number: use the model's own file"
            )
        found[ours] = value
    return found


def require(hf: Mapping[str, Any], **values: Any) -> None:
    """Check that entries of a ``config.json`` equal ``values``.

    An absent entry counts as equal: give the library's default where that would be wrong.

    Raises:
      ValueError: an entry differs.
    """
    for key, value in values.items():
        if hf.get(key, value) != value:
            raise ValueError(
                f"{key}={hf[key]!r} in config.json is not supported: it must be {value!r}"
            )


def _report_missing(what: str, keys: Iterable[str]) -> None:
    if named := _list(keys):
        raise ValueError(
            f"the checkpoint is missing {named}: it does not hold all of {what}; "
            "download it again or give the file of such a network"
        )


def _report_unexpected(what: str, keys: Iterable[str]) -> None:
    if named := _list(keys):
        raise ValueError(
            f"the checkpoint has unexpected {named}: its network is not {what}; "
            "give the file of such a network, or one without these tensors"
        )


def _list(keys: Iterable[str]) -> str:
    keys = sorted(keys)
    more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
    return ", ".join(keys[:_NAMED]) + more


def _leaf(
    path: str, origin: Origin, read: Callable[[str], np.ndarray], shape: tuple[int, ...]
) -> np.ndarray:
    """Build one of our parameters: converted, checked, layers stacked on axis 0."""
    wanted = shape[1:] if origin.stacked else shape
    arrays = []
    for key in origin.keys:
        array = read(key)
        _check_values(key, array)
        ours = _converted(origin.convert, array)
        if ours is None or ours.shape != wanted:
            raise ValueError(
                f"{key} has shape {array.shape} and cannot become {path} of shape {wanted}: "
                "check that the file and its config belong together"
            )
        arrays.append(ours)
    return np.stack(arrays) if origin.stacked else arrays[0]


def _check_values(key: str, array: np.ndarray) -> None:
    if array.dtype.name not in _FLOATS:
        raise ValueError(
            f"{key} holds {array.dtype} values: quantised weights are not read, give the float ones"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{key} holds NaN or infinite values: download the file again")


def _converted(convert: Convert, array: np.ndarray) -> np.ndarray | None:
    """Convert to float32; None when the array's shape does not allow the conversion."""
    try:
        return convert(array).astype(np.float32)
    except (ValueError, IndexError):
        return None
