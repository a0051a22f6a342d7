"""Evaluation: held-out mixtures, routes through the system, tables."""

from hsmtss_jax.evaluation.report import summarise, to_json, to_markdown
from hsmtss_jax.evaluation.separation import evaluate

__all__ = ["evaluate", "summarise", "to_json", "to_markdown"]
