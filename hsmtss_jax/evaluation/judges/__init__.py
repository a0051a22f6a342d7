"""Judges: models of others that say what a sound is. A column that rests on one bears its name."""

from hsmtss_jax.evaluation.judges.judge import Judge, make_judge

__all__ = ["Judge", "make_judge"]
