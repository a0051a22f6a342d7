"""Choosing tokens and generating sequences; knows no model."""

from hsmtss_jax.sampling.generate import generate
from hsmtss_jax.sampling.policies import GREEDY, Policy, choose, row_keys

__all__ = ["GREEDY", "Policy", "choose", "generate", "row_keys"]
