"""CLAP's text tower (LAION, Wu et al. 2023): RoBERTa, its pooler and two projections to unit vectors.

RoBERTa (Liu et al. 2019) is BERT without segments whose positions start behind the padding token's row;
the importer drops the rows that no token reads.

Legend: B batch, N tokens, C width, E width of the shared space of sounds and words.
"""

import dataclasses
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from hsmtss_jax.models.text.encoder import TextEncoder, TextEncoderConfig


def roberta_base() -> TextEncoderConfig:
    """Return the config of roberta-base: 124,054,272 parameters without pooler and unread rows."""
    return TextEncoderConfig(
        kind="bert", vocab=50265, mlp=3072, norm_eps=1e-5, max_positions=512, segments=1
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClapTextConfig:
    """Configure the text tower. embedding: width of the shared space, E."""

    encoder: TextEncoderConfig = dataclasses.field(default_factory=roberta_base)
    embedding: int = 512

    def make(self, dtype: Any = jnp.float32) -> "ClapText":
        """Create the module with compute dtype ``dtype``."""
        return ClapText(config=self, dtype=dtype)


class ClapText(nn.Module):
    """Encode sentences as unit vectors, comparable with those of sounds."""

    config: ClapTextConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, ids: jax.Array, mask: jax.Array) -> jax.Array:
        """Encode ids int32 [B, N] and mask bool [B, N] (True = token) as float32 [B, E] of length 1."""
        cfg = self.config
        features = TextEncoder(cfg.encoder, self.dtype, name="encoder")(ids, mask)
        pooled = jnp.tanh(self._dense(cfg.encoder.width, "pooler")(features[:, 0]))
        hidden = nn.relu(self._dense(cfg.embedding, "hidden")(pooled))
        out = self._dense(cfg.embedding, "out")(hidden).astype(jnp.float32)
        norm = jnp.sqrt(jnp.sum(out**2, axis=-1, keepdims=True))
        return out / jnp.maximum(norm, 1e-12)

    def _dense(self, features: int, name: str) -> nn.Dense:
        return nn.Dense(features, dtype=self.dtype, name=name)
