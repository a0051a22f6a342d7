"""Choosing tokens and generating sequences; knows no model."""

from hsmtss_jax.sampling.beam import Beams, beam_search
from hsmtss_jax.sampling.buckets import (
    apply_in_batches,
    batches,
    clip_sizes,
    pad_rows,
    round_up,
    row_sizes,
    trim_text,
)
from hsmtss_jax.sampling.generate import Generated, generate
from hsmtss_jax.sampling.policies import GREEDY, Policy, choose, row_keys

__all__ = [
    "GREEDY",
    "Beams",
    "Generated",
    "Policy",
    "apply_in_batches",
    "batches",
    "beam_search",
    "choose",
    "clip_sizes",
    "generate",
    "pad_rows",
    "round_up",
    "row_keys",
    "row_sizes",
    "trim_text",
]
