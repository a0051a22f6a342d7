"""Inference: recordings and sentences in, separated sounds out."""

from hsmtss_jax.codec.codec import Codec
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
