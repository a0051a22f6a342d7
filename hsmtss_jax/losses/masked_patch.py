"""Reconstruction loss of masked autoencoders (AudioMAE, Huang et al. 2022; MW-MAE, Yadav et al. 2023).

Legend: B batch, N tokens, X pixels of a patch.
"""

import jax
import jax.numpy as jnp


def normalise_patches(patches: jax.Array) -> jax.Array:
    """Normalise each patch [..., X] to zero mean and unit (unbiased) variance: norm_pix_loss."""
    mean = jnp.mean(patches, axis=-1, keepdims=True)
    variance = jnp.var(patches, axis=-1, ddof=1, keepdims=True)
    return (patches - mean) / jnp.sqrt(variance + 1e-6)


def masked_patch_loss(
    prediction: jax.Array, target: jax.Array, mask: jax.Array, norm_pix: bool = False
) -> jax.Array:
    """Compute the mean squared error over the masked patches of each example, float32 [B].

    prediction, target: [B, N, X]. mask: [B, N], 1 for a patch hidden from the encoder. norm_pix: normalise
    the targets per patch. The loss is 0 where nothing is masked.
    """
    target = target.astype(jnp.float32)
    if norm_pix:
        target = normalise_patches(target)
    error = jnp.mean(jnp.square(prediction.astype(jnp.float32) - target), axis=-1)
    weight = mask.astype(jnp.float32)
    return jnp.sum(error * weight, axis=-1) / jnp.maximum(jnp.sum(weight, axis=-1), 1.0)
