"""Evaluation: held-out mixtures, routes through the system, tables."""

from hsmtss_jax.evaluation.mixtures import evaluate
from hsmtss_jax.evaluation.report import summarise, to_json, to_markdown

__all__ = ["evaluate", "summarise", "to_json", "to_markdown"]
