"""From a sentence to the one vector that steers a mask separator, by the text encoder of its bundle.

Legend: B batch, N tokens, E width of a query.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from hsmtss_jax.conversion import from_dict
from hsmtss_jax.models.text.clap import ClapTextConfig
from hsmtss_jax.models.text.encoder import TextEncoderConfig
from hsmtss_jax.nn.apply import apply


class QueryEncoder(Protocol):
    """Encode tokenised sentences as unit vectors: frozen, a pure function of its weights."""

    @property
    def max_tokens(self) -> int:
        """Return the most tokens that a sentence can have."""

    def __call__(self, params: Any, ids: jax.Array, mask: jax.Array, dtype: Any) -> jax.Array:
        """Encode ids int32 [B, N] with mask bool [B, N] as float32 [B, E]."""


@dataclasses.dataclass(frozen=True)
class MeanQuery:
    """Average the tokens' encodings."""

    config: TextEncoderConfig

    @property
    def max_tokens(self) -> int:
        return self.config.max_positions

    def __call__(self, params: Any, ids: jax.Array, mask: jax.Array, dtype: Any) -> jax.Array:
        raw = apply(self.config.make(dtype), {"params": params}, ids, mask, out=jax.Array)
        kept = jnp.where(mask[:, :, None], raw.astype(jnp.float32), 0.0)
        total = jnp.sum(kept, axis=1)
        norm = jnp.sqrt(jnp.sum(total**2, axis=-1, keepdims=True))
        return jax.lax.stop_gradient(total / jnp.maximum(norm, 1e-6))


@dataclasses.dataclass(frozen=True)
class ClapQuery:
    """Compute CLAP's sentence vector."""

    config: ClapTextConfig

    @property
    def max_tokens(self) -> int:
        return self.config.encoder.max_positions

    def __call__(self, params: Any, ids: jax.Array, mask: jax.Array, dtype: Any) -> jax.Array:
        out = apply(self.config.make(dtype), {"params": params}, ids, mask, out=jax.Array)
        return jax.lax.stop_gradient(out)


# A bundle's stage -> its query encoder, from the ``model`` of its config.
QUERY_ENCODERS: dict[str, Callable[[Mapping[str, Any]], QueryEncoder]] = {
    "text_encoder": lambda model: MeanQuery(from_dict(TextEncoderConfig, model)),
    "clap_text": lambda model: ClapQuery(from_dict(ClapTextConfig, model)),
}


def make_query_encoder(stage: str, config: Mapping[str, Any]) -> QueryEncoder:
    """Return the query encoder of a bundle. Raises ValueError for one of another stage."""
    if stage not in QUERY_ENCODERS:
        known = ", ".join(QUERY_ENCODERS)
        raise ValueError(f"a bundle of {stage} encodes no queries: give one of {known}")
    return QUERY_ENCODERS[stage](config["model"])
