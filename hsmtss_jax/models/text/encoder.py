"""Frozen text encoder: one interface to a FLAN-T5 encoder (the paper's) and BERT (small).

Legend: B batch, N tokens, C width, V vocabulary.
"""

import dataclasses
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from hsmtss_jax.models.text.bert import BertStack
from hsmtss_jax.models.text.t5 import T5Stack


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextEncoderConfig:
    """Configure a text encoder; the defaults are FLAN-T5-base's.

    kind: "t5" or "bert". A field marked with one kind is ignored by the other.
    """

    kind: str = "t5"
    vocab: int = 32128
    width: int = 768
    depth: int = 12
    heads: int = 12
    head_dim: int = 64  # t5: need not be width / heads
    mlp: int = 2048
    norm_eps: float = 1e-6
    buckets: int = 32  # t5: of the relative position bias
    max_distance: int = 128  # t5: beyond it all distances share a bucket
    max_positions: int = 512  # bert: tokens it can take
    segments: int = 2  # bert: rows of the segment table; only the first is used

    def make(self, dtype: Any = jnp.float32) -> "TextEncoder":
        """Create the module with compute dtype ``dtype``; norms and softmax stay float32."""
        return TextEncoder(config=self, dtype=dtype)


class TextEncoder(nn.Module):
    """Encode token ids as contextual features. Parameters: ``embedding`` (the token table) and ``stack``."""

    config: TextEncoderConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        cfg = self.config
        self.embedding = nn.Embed(cfg.vocab, cfg.width, dtype=self.dtype)
        if cfg.kind == "t5":
            self.stack: nn.Module = T5Stack(
                depth=cfg.depth,
                heads=cfg.heads,
                head_dim=cfg.head_dim,
                mlp=cfg.mlp,
                buckets=cfg.buckets,
                max_distance=cfg.max_distance,
                norm_eps=cfg.norm_eps,
                dtype=self.dtype,
            )
        elif cfg.kind == "bert":
            self.stack = BertStack(
                depth=cfg.depth,
                heads=cfg.heads,
                mlp=cfg.mlp,
                max_positions=cfg.max_positions,
                segments=cfg.segments,
                norm_eps=cfg.norm_eps,
                dtype=self.dtype,
            )
        else:
            raise ValueError(f"unknown text encoder kind {cfg.kind!r}: use 't5' or 'bert'")

    def __call__(self, ids: jax.Array, mask: jax.Array) -> jax.Array:
        """Compute contextual features of ids int32 [B, N], mask bool [B, N] (True = token): [B, N, C].

        Rows under the padding are undefined and do not affect the others.
        """
        return self.stack(self.embed(ids), mask)

    def embed(self, ids: jax.Array) -> jax.Array:
        """Look up rows of the token table, without context, order or norm: [B, N] -> [B, N, C]."""
        return self.embedding(ids)


def flan_t5_base() -> TextEncoderConfig:
    """Return the config of google/flan-t5-base, the paper's text encoder: 109,628,544 parameters."""
    return TextEncoderConfig()


def minilm_l6() -> TextEncoderConfig:
    """Return the config of sentence-transformers/all-MiniLM-L6-v2: 22,565,376 parameters without pooler."""
    return TextEncoderConfig(
        kind="bert",
        vocab=30522,
        width=384,
        depth=6,
        heads=12,
        head_dim=32,
        mlp=1536,
        norm_eps=1e-12,
    )


def tiny(kind: str = "bert", vocab: int = 64) -> TextEncoderConfig:
    """Return a config of a few thousand parameters, for tests."""
    return TextEncoderConfig(
        kind=kind,
        vocab=vocab,
        width=16,
        depth=2,
        heads=2,
        head_dim=8,
        mlp=32,
        max_positions=32,
        norm_eps=1e-6 if kind == "t5" else 1e-12,
    )
