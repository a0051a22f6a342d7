"""Make command lines from dataclasses: every field that is declared as an option becomes one.

A field whose type is a dataclass of options brings these; ``part`` says under which heading, and which.
"""

import argparse
import dataclasses
import enum
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hsmtss_jax.option import choices, option, range_fault

LARGEST = 2**31  # of whole numbers


def argument(help: str, *, metavar: str = "", default: Any = dataclasses.MISSING) -> Any:
    """Declare a positional argument; a tuple takes any number, at least one without a default."""
    field = option(default, help, metavar=metavar)
    return dataclasses.field(default=default, metadata={**field.metadata, "positional": True})


def part(
    options: type, group: str = "", *, only: tuple[str, ...] = (), without: tuple[str, ...] = ()
) -> Any:
    """Declare a field that holds a dataclass of further options.

    Args:
      options: the dataclass.
      group: heading for those of its options that name none.
      only: their names, if not all.
      without: names to leave out; they keep their defaults.
    """
    told = {"group": group, "only": only, "without": without}
    return dataclasses.field(default_factory=options, metadata=told)


@dataclasses.dataclass(frozen=True)
class _Declared:
    """Describe an option as the command line needs it."""

    field: dataclasses.Field
    annotation: Any
    group: str


def add_options(parser: argparse.ArgumentParser, options: type) -> None:
    """Add an argument a field, under the headings that the fields name."""
    groups: dict[str, Any] = {"": parser}
    for each in _declared(options):
        if each.group not in groups:
            groups[each.group] = parser.add_argument_group(each.group)
        names, settings = _argument(each)
        groups[each.group].add_argument(*names, default=argparse.SUPPRESS, **settings)


def read_options(given: argparse.Namespace, options: type) -> Any:
    """Return the dataclass with what was given, the rest as declared. Raises ValueError."""
    values = {}
    for field, annotation in _fields(options):
        if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
            values[field.name] = read_options(given, annotation)
        elif hasattr(given, field.name):
            value = getattr(given, field.name)
            values[field.name] = tuple(value) if isinstance(value, list) else value
    return options(**values)


def flat(options: Any) -> dict[str, Any]:
    """Return all options by name as plain JSON, those of parts too: what a report says of a command."""
    found: dict[str, Any] = {}
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if dataclasses.is_dataclass(value):
            found |= flat(value)
        else:
            found[field.name] = str(value) if isinstance(value, Path) else value
    return found


def _fields(options: type) -> Iterator[tuple[dataclasses.Field, Any]]:
    hints = typing.get_type_hints(options)
    return ((field, hints[field.name]) for field in dataclasses.fields(options))


def _declared(
    options: type, group: str = "", only: tuple[str, ...] = (), without: tuple[str, ...] = ()
) -> Iterator[_Declared]:
    for field, annotation in _fields(options):
        if field.name in without or (only and field.name not in only):
            continue
        if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
            yield from _declared(annotation, **field.metadata)
        else:
            yield _Declared(field, annotation, field.metadata["group"] or group)


def _argument(each: _Declared) -> tuple[list[str], dict[str, Any]]:
    """Return names and settings for ``add_argument``."""
    told, name = each.field.metadata, each.field.name
    kind, many = _kind(each.annotation)
    settings: dict[str, Any] = {"help": _help(each.field)}
    if kind is bool:
        settings["action"] = argparse.BooleanOptionalAction
    else:
        settings["type"] = _reader(each.field, kind)
        settings["choices"] = choices(each.annotation) or None
        settings["metavar"] = told["metavar"] or None
    required = each.field.default is dataclasses.MISSING
    if told.get("positional"):
        several, single = {"nargs": "+" if required else "*"}, {} if required else {"nargs": "?"}
        if single:
            settings["type"] = _unless_absent(settings["type"])
        return [name], settings | (several if many else single)
    if many and told["repeat"]:
        settings["action"] = "append"
    elif many:
        settings["nargs"] = many
    flag = told["flag"] or f"--{name.replace('_', '-')}"
    names = [told["short"], flag] if told["short"] else [flag]
    return names, settings | {"dest": name, "required": required}


def _kind(annotation: Any) -> tuple[type, int | str]:
    """Return the type of a value and how many there may be (0: one): tuple[float, float] is (float, 2)."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return _kind(next(part for part in parts if part is not type(None)))
    if origin is tuple:
        return _kind(parts[0])[0], "+" if parts[-1] is Ellipsis else len(parts)
    return (str if origin is typing.Literal else annotation), 0


def _unless_absent(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return the function for an argument that may be absent: argparse reads its default, too."""
    return lambda text: text if text is argparse.SUPPRESS else read(text)


def _reader(field: dataclasses.Field, kind: type) -> Callable[[str], Any]:
    """Return the function from text to a value in the field's range."""
    if issubclass(kind, enum.Enum):
        return lambda text: kind(text) if text in choices(kind) else text
    convert: Callable[[str], Any] | None = field.metadata["read"]
    make: Callable[[str], Any] = convert or kind
    if convert is None and kind not in (int, float):
        return kind

    def read(text: str) -> Any:
        try:
            value: Any = make(text)
        except ValueError as error:
            sort = "a whole number" if kind is int else "a number"
            fault = str(error) if convert else f"{text!r} is not {sort}"
            raise argparse.ArgumentTypeError(fault) from None
        if fault := range_fault(field, value):
            raise argparse.ArgumentTypeError(fault)
        if kind is int and abs(value) >= LARGEST:
            raise argparse.ArgumentTypeError(f"must be below 2^31, got {text}")
        return value

    return read


def _help(field: dataclasses.Field) -> str:
    """Return the sentence with the default in brackets, where it says something."""
    default = field.metadata["default_help"] or _default(field.default)
    text = f"{field.metadata['help']} [{default}]" if default else field.metadata["help"]
    return text.replace("%", "%%")


def _default(value: Any) -> str:
    if value is None or value is False or value is dataclasses.MISSING:
        return ""
    if value is True:
        return "on"
    if isinstance(value, tuple):
        return " ".join(map(_default, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
