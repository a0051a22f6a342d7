"""Audio-text contrastive (ATC) and matching (ATM) losses (HSM-TSS section III-B, after BLIP-2).

Legend: B batch (global over the mesh under jit), E contrastive width.
"""

import flax.struct
import jax
import jax.numpy as jnp
import optax

_NEVER = -1e4  # logit of a pair that must not be drawn


@flax.struct.dataclass
class Negatives:
    """Hold indices of negatives within the batch, int32 [B]: an audio for each text, a text for each audio.

    exist: bool [B], False where every caption of the batch equals the example's, so there is no negative.
    """

    audio: jax.Array
    text: jax.Array
    exist: jax.Array


def similarities(z_audio: jax.Array, z_text: jax.Array, temperature: jax.Array) -> jax.Array:
    """Compute cosines of unit vectors [B, E] over the temperature: [B audio, B text]."""
    return jnp.einsum("ae,te->at", z_audio, z_text) / temperature


def same_caption(caption_id: jax.Array) -> jax.Array:
    """Find pairs with equal captions, the diagonal included: bool [B, B]."""
    return caption_id[:, None] == caption_id[None, :]


def contrastive_targets(same: jax.Array, smoothing: float = 0.1) -> jax.Array:
    """Compute target probabilities [B, B]: (1 - smoothing) over the true pairs, smoothing over all."""
    positive = same.astype(jnp.float32)
    share = positive / jnp.sum(positive, axis=1, keepdims=True)
    return (1.0 - smoothing) * share + smoothing / same.shape[0]


def atc_loss(similarity: jax.Array, same: jax.Array, smoothing: float = 0.1) -> jax.Array:
    """Compute the mean of both directions' cross-entropies, [B]. ``same`` is symmetric."""
    target = contrastive_targets(same, smoothing)
    of_audio = optax.softmax_cross_entropy(similarity, target)
    of_text = optax.softmax_cross_entropy(similarity.T, target)
    return 0.5 * (of_audio + of_text)


def hard_negatives(key: jax.Array, similarity: jax.Array, same: jax.Array) -> Negatives:
    """Sample one negative for each text and audio, in proportion to exp(similarity)."""
    logits = jax.lax.stop_gradient(jnp.where(same, _NEVER, similarity))
    audio_key, text_key = jax.random.split(key)
    return Negatives(
        audio=jax.random.categorical(audio_key, logits, axis=0),
        text=jax.random.categorical(text_key, logits, axis=1),
        exist=~jnp.all(same, axis=1),
    )


def atm_loss(
    matched: jax.Array, wrong_audio: jax.Array, wrong_text: jax.Array, exist: jax.Array
) -> jax.Array:
    """Compute the cross-entropy of match logits [B, 2] of positive and negative pairs, [B].

    Args:
      matched: logits of the true pairs [B, 2].
      wrong_audio: logits of texts with a negative audio [B, 2].
      wrong_text: logits of audios with a negative text [B, 2].
      exist: bool [B], whether the negatives are valid; where not, only the true pair counts.
    """

    def against(logits: jax.Array, label: int) -> jax.Array:
        return -jax.nn.log_softmax(logits, axis=-1)[:, label]

    weight = exist.astype(jnp.float32)
    wrong = against(wrong_audio, 0) + against(wrong_text, 0)
    return (against(matched, 1) + weight * wrong) / (1.0 + 2.0 * weight)
