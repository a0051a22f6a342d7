"""How fast the parts run on this machine, against what the machine can do and what others reach on it."""

from hsmtss_jax.benchmarks.timing import Measured, Timing, to_markdown

__all__ = ["Measured", "Timing", "to_markdown"]
