"""HSM-TSS in JAX/Flax: text-queried audio source separation by hierarchical semantic modelling.

Source: arXiv 2505.21025. The public entry point is ``hsmtss_jax.inference.Separator``.
"""

__version__ = "0.1.0"
