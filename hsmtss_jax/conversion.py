"""Convert configs: overrides from the command line, and JSON there and back.

One converter, ``_convert``, checks every value that comes from outside against the field's annotation.
"""

import ast
import dataclasses
import difflib
import json
import math
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeVar

from hsmtss_jax.config import INHERITED, ExperimentConfig, StageConfig, Within

T = TypeVar("T")


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


def check_values(config: Any, path: str = "") -> None:
    """Check every number of a config: finite, and within what its field allows.

    Raises:
      ValueError: names the first field that is not.
    """
    hints = typing.get_type_hints(type(config), include_extras=True)
    for field in dataclasses.fields(config):
        where = f"{path}.{field.name}" if path else field.name
        _check_value(getattr(config, field.name), hints[field.name], where)


def _check_value(value: Any, annotation: Any, path: str) -> None:
    if dataclasses.is_dataclass(value):
        check_values(value, path)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _check_value(item, Any, f"{path}.{key}")
    elif isinstance(value, tuple | list):
        for item in value:
            _check_value(item, Any, path)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{path}={value} is not finite")
    bounds = [extra for extra in typing.get_args(annotation)[1:] if isinstance(extra, Within)]
    for within in bounds if typing.get_origin(annotation) is Annotated else ():
        _check_within(value, within, path)


def _check_within(value: Any, within: Within, path: str) -> None:
    numbers = value if isinstance(value, tuple) else (value,)
    for number in numbers:
        if number < within.low:
            raise ValueError(f"{path}={_plain(value)}: at least {within.low:g}")
        if number > within.high:
            raise ValueError(f"{path}={_plain(value)}: at most {within.high:g}")
    if within.rising and numbers[0] > numbers[-1]:
        raise ValueError(f"{path}={_plain(value)}: the first must not be above the second")


def _plain(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


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
