"""Inference: pipeline bundles and the public ``Separator``."""

from hsmtss_jax.inference.outlets import Output
from hsmtss_jax.inference.result import (
    Activity,
    Presence,
    SeparationReport,
    SeparationResult,
    TargetAbsent,
)
from hsmtss_jax.inference.separator import Separator

__all__ = [
    "Activity",
    "Output",
    "Presence",
    "SeparationReport",
    "SeparationResult",
    "Separator",
    "TargetAbsent",
]
