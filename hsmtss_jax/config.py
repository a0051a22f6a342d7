"""Typed experiment configs: frozen dataclasses with the paper's values as defaults.

A config is loaded from a Python file (``load_config``), changed from the command line (``override``)
and stored as JSON (``to_json``, ``from_json``). One converter, ``_convert``, checks every value that
comes from outside against the field's annotation.
"""

import ast
import dataclasses
import difflib
import importlib.util
import json
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

T = TypeVar("T")
S = TypeVar("S", bound="StageConfig")

Size = Literal["paper", "demo", "tiny"]
SIZES = typing.get_args(Size)

# A size of a network that upstream bundles fix. None stands for what they say and is filled in when the
# stage is built, so a network never sees it: it is an int everywhere but in a config file.
INHERITED = "inherited"
Inherited = Annotated[int, INHERITED]


@dataclasses.dataclass(frozen=True, kw_only=True)
class StageConfig:
    """Base of every stage's config; ``name`` is the key in ``stages.STAGES``.

    What stands here and is None is the upstream's, once the stage is built.
    """

    name: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Where examples come from and how they are made."""

    root: str = "corpora/opensounds"  # a prepared data set: ArrayRecord in TFDS layout
    batch_size: int = 256  # examples, over all devices
    workers: int = 0  # grain worker processes; 0 reads in the training process
    snr_db: tuple[float, float] = (-15.0, 15.0)  # range of target over other [dB]
    # scale: a gain for a drawn SNR; raw_reject: plain sums, pairs drawn until the SNR is in range
    mix_mode: Literal["scale", "raw_reject"] = "scale"
    # Clips shorter than the window. pad: zeros follow. place: put at a random place. repeat: that, or
    # repeated; where single clips are trained on, other clips may follow. Training and mixtures only.
    short_clips: Literal["pad", "place", "repeat"] = "repeat"
    balance: float = 0.5  # 0 samples clips as they are, 1 evens out the labels
    augment: bool = True  # pitch, speed, EQ, gain, reverberation; training split only
    max_text_tokens: int = 64  # of a caption, special tokens counted
    # Folder for the frozen text encoder's outputs, computed once a data set and read by caption while
    # training; "" runs the encoder in every step. The numbers are the same but for rounding.
    text_cache: str = ""
    remove_probability: float = 0.5  # share of (remove, caption of the other) examples
    eval_examples: int = 512  # of the validation pass


@dataclasses.dataclass(frozen=True)
class Shard:
    """Name a process's part of a data set: examples ``index::count``."""

    index: int = 0
    count: int = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class OptimConfig:
    """One parameter group's optimiser: AdamW and its learning rate by update."""

    lr: float = 1e-4  # at its highest
    b1: float = 0.9
    b2: float = 0.98
    weight_decay: float = 0.01
    amsgrad: bool = False  # like freeze, part of the state: fixed once a run has begun
    warmup_steps: int = 2000  # updates of the linear warm-up, or of each stair
    end_lr: float = 1e-6  # of a cosine
    # cosine and constant follow a linear warm-up; staircase: the rates of ``stairs``, then lr
    schedule: Literal["cosine", "constant", "staircase"] = "cosine"
    stairs: tuple[float, ...] = ()
    clip: float = 1.0  # largest norm of the gradient; 0 turns clipping off
    clip_per_tensor: bool = False  # TF-Codec clips each tensor on its own
    decay_exclude: str = r"(bias|scale|embedding|pos|query|token)$"
    freeze: str = ""  # regex over parameter paths that are not trained
    l2: float = 0.0  # coupled L2 (the discriminator's)
    ema: float = 0.0  # 0 turns it off


@dataclasses.dataclass(frozen=True, kw_only=True)
class MeshConfig:
    """Devices: ``data`` x ``fsdp``; -1 takes what is left."""

    data: int = -1
    fsdp: int = 1
    shard_from: int = 65_536  # elements of a parameter; below, splitting costs more than it saves
    multi_host: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunConfig:
    """How long, how often, which seed."""

    steps: int = 50_000  # optimiser updates
    seed: int = 0
    init_from: str = ""  # a bundle whose weights a new run starts from; "" starts at random
    init_match: str = ""  # regex over that bundle's tensors: start from these alone
    log_every: int = 100  # steps, as the next two
    eval_every: int = 2_000  # 0: no validation
    save_every: int = 1_000
    keep: int = 3  # the last checkpoints; the best one is kept beside them
    best_metric: str = "loss"  # the validation metric, smaller is better
    accumulate: int = 1  # parts a batch is split into, gradients averaged
    # what networks compute in; auto: bfloat16 on accelerators, float32 on CPU
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExperimentConfig:
    """A whole run: stage, data, optimiser per group, mesh, run."""

    stage: StageConfig
    data: DataConfig = dataclasses.field(default_factory=DataConfig)
    optim: Mapping[str, OptimConfig] = dataclasses.field(default_factory=dict)
    mesh: MeshConfig = dataclasses.field(default_factory=MeshConfig)
    run: RunConfig = dataclasses.field(default_factory=RunConfig)
    upstream: Mapping[str, str] = dataclasses.field(default_factory=dict)  # name -> bundle folder


def config_folders() -> list[Path]:
    """Return the folders of our own config files: the installed package's, and a checkout's."""
    root = Path(__file__).resolve().parents[1]
    checkout = [root / "configs"] if (root / "pyproject.toml").is_file() else []
    return [Path(__file__).with_name("configs"), *checkout]


def find_config(name: str | Path) -> Path:
    """Return the file of a config: a path ending in .py, or the name of one of ours ("audio_mae").

    Raises ValueError for an unknown name.
    """
    if Path(name).suffix:
        return Path(name)
    ours = {file.stem: file for folder in config_folders() for file in folder.glob("*.py")}
    ours = {stem: file for stem, file in sorted(ours.items()) if stem not in ("__init__", "common")}
    if str(name) not in ours:
        raise ValueError(
            f"no config {str(name)!r}: give the path of a .py file or {', '.join(ours)}"
        )
    return ours[str(name)]


def load_config(name: str | Path, size: str, kind: type[T] = ExperimentConfig) -> T:  # type: ignore[assignment]
    """Run ``get_config(size)`` of a config file, which returns a ``kind``; ``size`` is one of ``SIZES``.

    name: as ``find_config`` takes it.

    Raises:
      ValueError: unknown name or size, no ``get_config`` in the file, or a result of another type.
      OSError: the file is missing.
    """
    path = find_config(name)
    if size not in SIZES:
        raise ValueError(f"unknown size {size!r}: choose one of {', '.join(SIZES)}")
    if not path.is_file():
        raise FileNotFoundError(f"no config file at {path}")
    spec = importlib.util.spec_from_file_location(f"hsmtss_config_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} is not a Python file: a config ends in .py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, "get_config"):
        raise ValueError(f"{path} defines no get_config(size)")
    config = module.get_config(size)
    if not isinstance(config, kind):
        raise ValueError(
            f"get_config of {path} returned {type(config).__name__}, not {kind.__name__}"
        )
    return config


def override(config: T, assignments: Iterable[str]) -> T:
    """Apply ``path.to.field=value`` strings, each checked against the field's annotation.

    Values are Python literals, bare words where the field is a string, ``none``, ``true`` and
    ``false``, and comma lists for tuples. A mapping of plain values takes new keys.

    Raises:
      ValueError: a malformed assignment, an unknown field (names the nearest), a wrong type.
    """
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        if not equals or not path:
            raise ValueError(f"override {assignment!r} is not of the form path.to.field=value")
        config = _replace(config, path.split("."), text, path)
    return config


def to_dict(config: Any) -> dict[str, Any]:
    """Return a config as plain JSON values (tuples become lists)."""
    return json.loads(to_json(config))


def to_json(config: Any) -> str:
    """Return a config as JSON text; ``from_json`` and ``from_dict`` restore it."""
    return json.dumps(dataclasses.asdict(config), indent=2, sort_keys=True)


def from_json(text: str, stage: type[StageConfig]) -> ExperimentConfig:
    """Rebuild an experiment from ``to_json``; ``stage`` is the stage config's concrete class.

    Raises:
      ValueError: not JSON, an unknown field, a wrong type.
    """
    try:
        mapping = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"the config is not JSON: {error}") from error
    if not isinstance(mapping, dict) or "stage" not in mapping:
        raise ValueError("the config holds no 'stage'")
    return from_dict(ExperimentConfig, {**mapping, "stage": from_dict(stage, mapping["stage"])})


def from_dict(cls: type[T], mapping: Mapping[str, Any], path: str = "") -> T:
    """Build a (nested) dataclass from plain JSON values; tuples are restored.

    Raises:
      ValueError: an unknown field (names the nearest), a missing one, a wrong type.
    """
    if not isinstance(mapping, Mapping):
        raise ValueError(f"{path or cls.__name__} must be a mapping, got {mapping!r}")
    hints = typing.get_type_hints(cls, include_extras=True)
    values = {}
    for name, value in mapping.items():
        where = f"{path}.{name}" if path else name
        if name not in _field_names(cls):
            raise ValueError(_unknown(where, name, _field_names(cls)))
        values[name] = _convert(hints[name], value, where)
    try:
        return cls(**values)
    except TypeError as error:
        raise ValueError(f"{path or cls.__name__}: {error}") from error


def _replace(node: Any, parts: list[str], text: str, path: str) -> Any:
    """Replace the value at ``parts`` of ``node``, a dataclass."""
    head, rest = parts[0], parts[1:]
    names = _field_names(type(node))
    if head not in names:
        raise ValueError(_unknown(path, head, names))
    annotation = typing.get_type_hints(type(node), include_extras=True)[head]
    current = getattr(node, head)
    return dataclasses.replace(node, **{head: _assign(annotation, current, rest, text, path)})


def _assign(annotation: Any, current: Any, rest: list[str], text: str, path: str) -> Any:
    """Return the new value of a field or mapping entry whose present value is ``current``."""
    if not rest:
        value = _parse(annotation, text)
        if dataclasses.is_dataclass(current) and value is not None:
            raise ValueError(
                f"{path} is a group of fields: set one of {', '.join(_field_names(type(current)))}"
            )
        return _convert(annotation, value, path)
    if dataclasses.is_dataclass(current):
        return _replace(current, rest, text, path)
    if isinstance(current, Mapping):
        item = _mapping_item(annotation)
        if rest[0] not in current and (dataclasses.is_dataclass(item) or len(rest) > 1):
            raise ValueError(_unknown(path, rest[0], list(current)))
        changed = _assign(item, current.get(rest[0]), rest[1:], text, path)
        return {**current, rest[0]: changed}
    if current is None:
        raise ValueError(
            f"{path}: the fields above {rest[0]!r} are the upstream's: set none of them"
        )
    raise ValueError(f"{path}: {type(current).__name__} {current!r} has no fields")


def _parse(annotation: Any, text: str) -> Any:
    """Parse command-line text into a plain value for ``_convert``."""
    options = _options(annotation)
    if text.lower() in ("none", "null") and type(None) in options:
        return None
    if str in options:
        return text
    if bool in options and text.lower() in ("true", "false"):
        return text.lower() == "true"
    tuples = [option for option in options if typing.get_origin(option) is tuple]
    if tuples and text[:1] not in "([":
        return _parse_items(typing.get_args(tuples[0]), text.split(","))
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _parse_items(kinds: tuple[Any, ...], parts: list[str]) -> tuple[Any, ...]:
    """Parse a comma list, each part by its own annotation (the last one stands for the rest)."""
    kinds = tuple(kind for kind in kinds if kind is not Ellipsis) or (Any,)
    stripped = [part.strip() for part in parts if part.strip()]
    return tuple(
        _parse(kinds[min(index, len(kinds) - 1)], part) for index, part in enumerate(stripped)
    )


def _convert(annotation: Any, value: Any, path: str) -> Any:
    """Convert ``value`` as ``annotation`` asks, or raise a one-line ValueError."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is Any:
        return value
    if origin is Annotated:
        inherits = value is None and INHERITED in args
        return None if inherits else _convert(args[0], value, path)
    if origin in (typing.Union, types.UnionType):
        return _convert_union(args, value, path)
    if origin is typing.Literal:
        if value in args:
            return value
        raise ValueError(f"{path}={value!r}: choose one of {', '.join(map(str, args))}")
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        return value if isinstance(value, annotation) else from_dict(annotation, value, path)
    if annotation is tuple or origin is tuple:
        return _convert_tuple(args, value, path)
    if annotation is list or origin is list:
        if isinstance(value, list | tuple):
            return [_convert(args[0] if args else Any, item, path) for item in value]
    elif isinstance(origin or annotation, type) and issubclass(origin or annotation, Mapping):
        if isinstance(value, Mapping):
            item = _mapping_item(annotation)
            return {key: _convert(item, entry, f"{path}.{key}") for key, entry in value.items()}
    else:
        return _convert_scalar(annotation, value, path)
    raise ValueError(f"{path}={value!r} is not {_name(annotation)}")


def _convert_scalar(annotation: Any, value: Any, path: str) -> Any:
    """Convert int, float, bool, str, None: exact types, plus int -> float and a whole float -> int."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if annotation is float and is_number:
        return float(value)
    if annotation is int and is_number and float(value).is_integer():
        return int(value)
    if annotation in (bool, str) and isinstance(value, annotation):
        return value
    if annotation in (None, type(None)) and value is None:
        return None
    raise ValueError(f"{path}={value!r} is not {_name(annotation)}")


def _convert_union(args: tuple[Any, ...], value: Any, path: str) -> Any:
    """Convert by the first member of a union that takes the value; an exact type match goes first."""
    others = [member for member in args if member is not type(None)]
    if len(others) == 1 and value is not None:
        return _convert(others[0], value, path)
    for member in sorted(args, key=lambda member: type(value) is not member):
        try:
            return _convert(member, value, path)
        except ValueError:
            continue
    raise ValueError(f"{path}={value!r} is none of {', '.join(map(_name, args))}")


def _convert_tuple(args: tuple[Any, ...], value: Any, path: str) -> tuple[Any, ...]:
    """Convert a list or tuple to ``tuple[A, ...]`` or ``tuple[A, B]``."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"{path}={value!r} is not a tuple: write it as 1,2,3")
    if not args or (len(args) == 2 and args[1] is Ellipsis):
        return tuple(_convert(args[0] if args else Any, item, path) for item in value)
    if len(args) != len(value):
        raise ValueError(f"{path} takes {len(args)} values, got {len(value)}")
    return tuple(_convert(kind, item, path) for kind, item in zip(args, value, strict=True))


def _mapping_item(annotation: Any) -> Any:
    args = typing.get_args(annotation)
    return args[1] if len(args) == 2 else Any


def _options(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union (also of a Literal's value types), or the annotation alone."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return (*_options(args[0]), *([type(None)] if INHERITED in args else []))
    if origin is typing.Literal:
        return tuple(type(arg) for arg in args)
    return args if origin in (typing.Union, types.UnionType) else (annotation,)


def _field_names(cls: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(cls)]


def _name(annotation: Any) -> str:
    return getattr(annotation, "__name__", str(annotation))


def _unknown(path: str, name: str, known: list[str]) -> str:
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
    hint = f" did you mean {nearest[0]!r}?" if nearest else ""
    return f"unknown field {name!r} in {path!r}:{hint}"
