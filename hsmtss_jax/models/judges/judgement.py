"""What a tagging network says about sounds.

Legend: B sounds, P patches of a sound, C classes, D width of the embedding.
"""

import flax.struct
import jax
from jax.scipy.special import logsumexp


@flax.struct.dataclass
class Judgement:
    """Hold logits [B, C] of classes that exclude nothing (sigmoid), and the embedding [B, D] below them."""

    logits: jax.Array
    embedding: jax.Array

    def over_patches(self, count: int) -> "Judgement":
        """Pool the judgements of B * P patches, ``count`` = P in a row, to those of their B sounds.

        A class is as probable as its patches on average, so that a short sound is not lost in silence.
        """
        logits, embedding = (
            x.reshape(-1, count, x.shape[-1]) for x in (self.logits, self.embedding)
        )
        there, absent = (logsumexp(jax.nn.log_sigmoid(x), axis=1) for x in (logits, -logits))
        return Judgement(logits=there - absent, embedding=embedding.mean(axis=1))
