"""Choosing tokens and generating sequences; knows no model."""

from hsmtss_jax.sampling.beam import Beams, beam_search
from hsmtss_jax.sampling.buckets import batch_sizes, frame_sizes, round_up
from hsmtss_jax.sampling.generate import Generated, generate
from hsmtss_jax.sampling.policies import GREEDY, Policy, choose, row_keys

__all__ = [
    "GREEDY",
    "Beams",
    "Generated",
    "Policy",
    "batch_sizes",
    "beam_search",
    "choose",
    "frame_sizes",
    "generate",
    "round_up",
    "row_keys",
]
