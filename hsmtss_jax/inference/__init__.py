"""Inference: pipeline bundles, the public ``Separator``, the ``Codec`` by itself."""

from hsmtss_jax.codec.codec import Codec
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
    "Codec",
    "Output",
    "Presence",
    "SeparationReport",
    "SeparationResult",
    "Separator",
    "TargetAbsent",
]
