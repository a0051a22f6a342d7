"""Choosing tokens and generating sequences; knows no model."""

from hsmtss_jax.sampling.beam import Beams, beam_search
from hsmtss_jax.sampling.generate import generate
from hsmtss_jax.sampling.policies import GREEDY, Policy, choose, row_keys

__all__ = ["GREEDY", "Beams", "Policy", "beam_search", "choose", "generate", "row_keys"]
