"""Figures (matplotlib)."""

from hsmtss_jax.visualization.spectrograms import save_comparison

__all__ = ["save_comparison"]
