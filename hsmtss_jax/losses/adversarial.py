"""Least-squares GAN losses (Mao et al. 2017) and feature matching, averaged over the branches.

Legend: B batch, H frames and W bands of a feature map, C channels.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp


def _mean(values: Sequence[jax.Array]) -> jax.Array:
    return jnp.mean(jnp.stack(values))


def generator_loss(fake_scores: Sequence[jax.Array]) -> jax.Array:
    """Compute mean (D(fake) - 1)^2, scalar. fake_scores: [B, H, W] per branch."""
    return _mean([jnp.mean((score - 1.0) ** 2) for score in fake_scores])


def discriminator_loss(
    real_scores: Sequence[jax.Array], fake_scores: Sequence[jax.Array]
) -> jax.Array:
    """Compute mean (D(real) - 1)^2 + mean D(fake)^2, scalar."""
    return generator_loss(real_scores) + _mean([jnp.mean(score**2) for score in fake_scores])


def feature_matching_loss(
    real: Sequence[Sequence[jax.Array]], fake: Sequence[Sequence[jax.Array]]
) -> jax.Array:
    """Compute the mean |real - fake| of feature maps [B, H, W, C] over branches and layers, scalar.

    No gradient flows into ``real``.
    """

    def distance(a: jax.Array, b: jax.Array) -> jax.Array:
        fixed = jax.lax.stop_gradient(a).astype(jnp.float32)
        return jnp.mean(jnp.abs(fixed - b.astype(jnp.float32)))

    return _mean(
        [
            _mean([distance(a, b) for a, b in zip(one, other, strict=True)])
            for one, other in zip(real, fake, strict=True)
        ]
    )
