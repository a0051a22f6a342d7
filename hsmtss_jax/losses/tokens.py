"""Cross-entropy over the token groups of each frame, end token included (HSM-TSS section III-E).

Legend: B batch, T frames, K groups, V classes.
"""

import flax.struct
import jax
import jax.numpy as jnp


@flax.struct.dataclass
class TokenScores:
    """Hold the loss and per-example scores.

    loss: scalar mean over valid frames and groups [nat]. cross_entropy [nat], accuracy: [B].
    """

    loss: jax.Array
    cross_entropy: jax.Array
    accuracy: jax.Array


def targets_with_end(
    tokens: jax.Array, lengths: jax.Array, end: int
) -> tuple[jax.Array, jax.Array]:
    """Append the end token: tokens [B, T, K], lengths [B] -> (targets int32 [B, T + 1, K], valid [B, T + 1]).

    The frame after a row's last one has the class ``end`` in every group and is valid; later frames are not.
    """
    steps = jnp.arange(tokens.shape[1] + 1)[None, :]
    last = lengths[:, None]
    padded = jnp.pad(tokens.astype(jnp.int32), ((0, 0), (0, 1), (0, 0)))
    targets = jnp.where((steps < last)[:, :, None], padded, end)
    return targets, steps <= last


def token_cross_entropy(logits: jax.Array, targets: jax.Array, valid: jax.Array) -> TokenScores:
    """Compute cross-entropy and top-1 accuracy, HSM-TSS eq. (10), of logits [B, T, K, V], in float32.

    targets: int [B, T, K]. valid: bool [B, T]; other frames are ignored. ``loss`` averages over all valid
    frames of the batch, so that long clips weigh more than short ones, as in a sum over frames.
    """
    logits = logits.astype(jnp.float32)
    # a comparison, not a gather: its gradient is a select, where a gather's would be a scatter
    classes = jnp.arange(logits.shape[-1], dtype=jnp.int32)[None, None, None, :]
    chosen = jnp.sum(jnp.where(targets[..., None] == classes, logits, 0.0), axis=-1)
    nats = jax.nn.logsumexp(logits, axis=-1) - chosen
    correct = (jnp.argmax(logits, axis=-1) == targets).astype(jnp.float32)
    weight = valid.astype(jnp.float32)
    frames = jnp.maximum(weight.sum(axis=1), 1.0)
    frame_nats = jnp.where(valid, nats.mean(axis=-1), 0.0)
    return TokenScores(
        loss=frame_nats.sum() / jnp.maximum(weight.sum(), 1.0),
        cross_entropy=frame_nats.sum(axis=1) / frames,
        accuracy=(correct.mean(axis=-1) * weight).sum(axis=1) / frames,
    )
