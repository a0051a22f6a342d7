"""Bring sounds to the level that the networks work at, in a compiled program.

Legend: B batch, L samples.
"""

import jax
import jax.numpy as jnp

from hsmtss_jax.audio.constants import ACTIVE_FRAMES, ACTIVE_RANGE, SAMPLE_RATE, WORKING_LEVEL

FRAME = SAMPLE_RATE // ACTIVE_FRAMES  # [samples]


def working_gain(x: jax.Array) -> jax.Array:
    """Compute the gain [B] that brings the active parts of x [B, L] to ``WORKING_LEVEL``; 1 for silence."""
    whole = x.shape[1] // FRAME * FRAME
    power = jnp.mean(x[:, :whole].reshape(len(x), -1, FRAME) ** 2, axis=-1)
    active = power >= ACTIVE_RANGE * jnp.max(power, axis=1, keepdims=True)
    level = jnp.sum(power * active, axis=1) / jnp.sum(active, axis=1)
    silent = level < 1e-14
    return jnp.where(silent, 1.0, WORKING_LEVEL / jnp.sqrt(jnp.where(silent, 1.0, level)))
