"""Options that are declared once: a default, a range and a sentence, on the field of a frozen dataclass.

What a field says is what ``check`` enforces and what the command line shows and accepts.
"""

import dataclasses
import enum
import math
import typing
from collections.abc import Callable
from typing import Any, Literal


def option(
    default: Any,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    above: bool = False,
    metavar: str = "",
    flag: str = "",
    short: str = "",
    repeat: bool = False,
    group: str = "",
    default_help: str = "",
    read: Callable[[str], Any] | None = None,
) -> Any:
    """Declare an option as a dataclass field.

    Args:
      default: its value where nothing is given; ``dataclasses.MISSING``: it must be given.
      help: one sentence for the command line and the documentation.
      low, high: the range of a number, ends included (``above``: without ``low`` itself).
      metavar: what stands for the value in the usage.
      flag: the command line's name ["--" and the field's name].
      short: the command line's other name ("-o").
      repeat: a tuple's values are given one at a time, each behind the flag.
      group: heading under which the command line lists it.
      default_help: what the default means where its value does not say so ("the bundle's").
      read: turns a text of the command line into a value; None: the field's type. Raises ValueError.
    """
    told = {
        "help": help,
        "low": low,
        "high": high,
        "above": above,
        "metavar": metavar,
        "flag": flag,
        "short": short,
        "repeat": repeat,
        "group": group,
        "default_help": default_help,
        "read": read,
    }
    return dataclasses.field(default=default, metadata=told)


def choices(annotation: Any) -> tuple[str, ...]:
    """Return the values of a ``Literal`` or an enum, also inside ``| None`` or a tuple; () for another."""
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return tuple(each.value for each in annotation)
    if typing.get_origin(annotation) is Literal:
        return typing.get_args(annotation)
    return next((found for part in typing.get_args(annotation) if (found := choices(part))), ())


def check(options: Any) -> None:
    """Check every field of a dataclass of options against its declaration. Raises ValueError."""
    hints = typing.get_type_hints(type(options))
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        for item in value if isinstance(value, tuple) else (value,):
            if item is not None:
                check_value(field, hints[field.name], item)


def check_value(field: dataclasses.Field, annotation: Any, value: Any) -> None:
    """Check one value against its declaration. Raises ValueError with a line that names the range."""
    allowed = choices(annotation)
    if allowed and value not in allowed:
        raise ValueError(
            f"unknown {field.name} {value!r}: choose one of {', '.join(map(str, allowed))}"
        )
    if fault := range_fault(field, value):
        raise ValueError(f"{field.name} {fault}")


def range_fault(field: dataclasses.Field, value: Any) -> str:
    """Return what is wrong with a number by the field's range ("must be at least 1, got 0"), or ""."""
    low, high = field.metadata.get("low"), field.metadata.get("high")
    if low is None and high is None:
        return ""
    least, most = (-math.inf if low is None else low), (math.inf if high is None else high)
    above = field.metadata["above"]
    if not (least < value <= most if above else least <= value <= most) or value == math.inf:
        return f"must be {_range(low, high, above)}, got {value}"
    return ""


def _range(low: float | None, high: float | None, above: bool) -> str:
    """Format a range: "at least 0 and at most 1"."""
    parts = []
    if low is not None:
        parts.append(f"above {low:.12g}" if above else f"at least {low:.12g}")
    if high is not None:
        parts.append(f"at most {high:.12g}")
    return " and ".join(parts)
