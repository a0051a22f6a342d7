"""Inference: pipeline bundles and the public ``Separator``."""

from hsmtss_jax.inference.separator import SeparationResult, Separator

__all__ = ["SeparationResult", "Separator"]
