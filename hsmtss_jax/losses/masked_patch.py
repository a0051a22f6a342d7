"""Reconstruction loss of masked autoencoders (AudioMAE, Huang et al. 2022; MW-MAE, Yadav et al. 2023).

Legend: B batch, N tokens, X pixels of a patch.
"""

import jax
import jax.numpy as jnp


def normalise_patches(patches: jax.Array) -> jax.Array:
    """Each patch [..., X] to zero mean and unit (population-corrected) variance: norm_pix_loss."""
    mean = jnp.mean(patches, axis=-1, keepdims=True)
    variance = jnp.var(patches, axis=-1, ddof=1, keepdims=True)
    return (patches - mean) / jnp.sqrt(variance + 1e-6)


def masked_patch_loss(
    prediction: jax.Array, target: jax.Array, mask: jax.Array, norm_pix: bool = False
) -> jax.Array:
    """Mean squared error over the masked patches of each example.

    prediction, target: [B, N, X]. mask: [B, N], 1 for a patch the encoder did not see.
    norm_pix: compare with per-patch normalised targets. Returns float32 [B]; 0 where nothing is masked.
    """
    target = target.astype(jnp.float32)
    if norm_pix:
        target = normalise_patches(target)
    error = jnp.mean(jnp.square(prediction.astype(jnp.float32) - target), axis=-1)
    weight = mask.astype(jnp.float32)
    return jnp.sum(error * weight, axis=-1) / jnp.maximum(jnp.sum(weight, axis=-1), 1.0)
