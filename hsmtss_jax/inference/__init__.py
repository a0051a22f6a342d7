"""Inference: pipeline bundles, the public ``Separator``, the ``Codec`` by itself."""

from hsmtss_jax.inference.codec import Codec
from hsmtss_jax.inference.separator import SeparationResult, Separator

__all__ = ["Codec", "SeparationResult", "Separator"]
