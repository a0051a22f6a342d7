"""Measure the speed of the parts against the machine's limits and other implementations."""

from hsmtss_jax.speed.timing import Measured, Timing, table

__all__ = ["Measured", "Timing", "table"]
