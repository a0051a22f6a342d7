"""Audio-grounded text generation (ATG), a language-model loss (HSM-TSS section III-B, after BLIP-2).

Legend: B batch, N tokens, V vocabulary.
"""

import jax
import jax.numpy as jnp


def atg_loss(
    logits: jax.Array, targets: jax.Array, mask: jax.Array, smoothing: float = 0.1
) -> jax.Array:
    """Compute label-smoothed cross-entropy, mean over each caption's tokens: [B].

    logits: [B, N, V]; targets: int [B, N]; mask: bool [B, N], True = token. A caption without tokens
    has a loss of 0.
    """
    logits = logits.astype(jnp.float32)
    chosen = jnp.arange(logits.shape[-1])[None, None] == targets[:, :, None]  # no scatter behind it
    target = jnp.sum(jnp.where(chosen, logits, 0.0), axis=-1)
    wanted = (1.0 - smoothing) * target + smoothing * jnp.mean(logits, axis=-1)
    loss = jax.nn.logsumexp(logits, axis=-1) - wanted
    weight = mask.astype(jnp.float32)
    return jnp.sum(loss * weight, axis=1) / jnp.maximum(jnp.sum(weight, axis=1), 1.0)
