"""Trainable stages of the system, one file a stage."""

from hsmtss_jax.stages.registry import STAGES, load_stage, stage_class

__all__ = ["STAGES", "load_stage", "stage_class"]
