"""Inference: recordings and sentences in, separated sounds out.

What computes is loaded when it is first used: options and results cost no import of jax.
"""

import importlib
from typing import TYPE_CHECKING, Any

from hsmtss_jax.inference.options import (
    Activity,
    Failed,
    Presence,
    RuntimeOptions,
    SeparateOptions,
    SeparationReport,
    SeparationResult,
    TargetAbsent,
)

if TYPE_CHECKING:
    from hsmtss_jax.codec.codec import Codec
    from hsmtss_jax.inference.outlets import OutputFiles
    from hsmtss_jax.inference.separator import Separator

__all__ = [
    "Activity",
    "Codec",
    "Failed",
    "OutputFiles",
    "Presence",
    "RuntimeOptions",
    "SeparateOptions",
    "SeparationReport",
    "SeparationResult",
    "Separator",
    "TargetAbsent",
]

_HOMES = {
    "Codec": "codec.codec",
    "OutputFiles": "inference.outlets",
    "Separator": "inference.separator",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"hsmtss_jax.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
