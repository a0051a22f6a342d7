"""Losses of the two semantic separators: HSM-TSS eq. (5) to (8).

Every function returns one value per example; the training loss is the mean over the batch. The L1 terms
are means over elements (the paper leaves the reduction open; a sum over the feature dimension would
outweigh the similarity term a hundredfold).

Legend: B batch, P patches, C channels.
"""

import jax
import jax.numpy as jnp


def cosine(a: jax.Array, b: jax.Array, eps: float = 1e-8) -> jax.Array:
    """Compute cosine similarity over the last axis, in float32: [..., C], [..., C] -> [...].

    The norms are floored at ``eps``, with a gradient of zero (not NaN) for an all-zero vector.
    """
    a, b = a.astype(jnp.float32), b.astype(jnp.float32)
    norm_a = jnp.sqrt(jnp.maximum(jnp.sum(a * a, axis=-1), eps**2))
    norm_b = jnp.sqrt(jnp.maximum(jnp.sum(b * b, axis=-1), eps**2))
    return jnp.sum(a * b, axis=-1) / (norm_a * norm_b)


def l1_loss(a: jax.Array, b: jax.Array) -> jax.Array:
    """Compute the L1 distance of each example, HSM-TSS eq. (6): [B, ...], [B, ...] -> float32 [B]."""
    difference = jnp.abs(a.astype(jnp.float32) - b.astype(jnp.float32))
    return jnp.mean(difference, axis=tuple(range(1, a.ndim)))


def similarity_loss(g_hat: jax.Array, g_target: jax.Array) -> jax.Array:
    """Compute 1 - cosine of the global features, HSM-TSS eq. (5): [B, 1, C], [B, 1, C] -> [B]."""
    return 1.0 - jnp.mean(cosine(g_hat, g_target), axis=-1)


def global_loss(
    g_hat: jax.Array,
    g_target: jax.Array,
    *,
    similarity_weight: float = 1.0,
    l1_weight: float = 1.0,
) -> jax.Array:
    """Compute L_global = lambda_1 L_sim + lambda_2 L_L1, HSM-TSS eq. (7): [B, 1, C], [B, 1, C] -> [B]."""
    similarity = similarity_loss(g_hat, g_target)
    return similarity_weight * similarity + l1_weight * l1_loss(g_hat, g_target)


def local_loss(s_hat: jax.Array, s_target: jax.Array, scale: jax.Array | None = None) -> jax.Array:
    """Compute L_local, the L1 distance of the local features, HSM-TSS eq. (8): [B, P, C], [B, P, C] -> [B].

    scale: [C], standard deviation that each channel is divided by; None is 1.
    """
    if scale is not None:
        s_hat, s_target = s_hat / scale[None, None, :], s_target / scale[None, None, :]
    return l1_loss(s_hat, s_target)
