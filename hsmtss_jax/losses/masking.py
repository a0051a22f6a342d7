"""Losses of the mask decoder on the estimated sound, one value per example.

Legend: B batch, L samples.
"""

import jax
import jax.numpy as jnp

from hsmtss_jax.audio.stft import magnitude, stft

FLOOR_DB = -30.0  # error below the mixture at which an estimate is good enough
POWER = 0.3  # exponent that compresses magnitudes
RESOLUTIONS = ((256, 64), (1024, 256), (2048, 512))  # (window, hop) [samples]


def error_level(
    estimate: jax.Array, target: jax.Array, mixture: jax.Array, *, floor_db: float = FLOOR_DB
) -> jax.Array:
    """Compute the level of the error below the mixture [10 dB], [B, L] each -> [B].

    It is the same for the target and for the rest of the mixture, every example weighs alike whatever its
    level, and an unsure estimate is best hedged: its minimum is the mean of what the target may be.
    """
    error = jnp.mean((estimate - target) ** 2, axis=-1)
    whole = jnp.mean(mixture**2, axis=-1) + 1e-12
    return jnp.log10(error / whole + 10.0 ** (floor_db / 10.0))


def spectral_error(estimate: jax.Array, target: jax.Array, mixture: jax.Array) -> jax.Array:
    """Compute the L1 distance of compressed magnitudes beside the mixture's, at three resolutions: [B].

    Estimate, target, mixture: [B, L].
    """
    total = jnp.zeros(len(mixture))
    for window, hop in RESOLUTIONS:
        a, b, whole = (_compressed(x, window, hop) for x in (estimate, target, mixture))
        distance = jnp.mean(jnp.abs(a - b), axis=(1, 2))
        total += distance / (jnp.mean(whole, axis=(1, 2)) + 1e-3)
    return total / len(RESOLUTIONS)


def _compressed(x: jax.Array, window: int, hop: int) -> jax.Array:
    """Compute |STFT|^POWER [B, T, F]; its slope at silence is bounded."""
    return magnitude(stft(x, window, hop), eps=1e-6) ** POWER


def presence_error(logit: jax.Array, present: jax.Array) -> jax.Array:
    """Compute the binary cross entropy of log odds [B] with present, bool [B]: [B]."""
    signed = jnp.where(present, logit, -logit)
    return jax.nn.softplus(-signed)
