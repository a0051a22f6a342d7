"""GPT-2: a causal language model over token or soft-prefix embeddings (Radford et al. 2019).

HSM-TSS evaluates its representations by captioning (Table VI): a linear map turns audio features into a
prefix, from which GPT-2 generates the sentence. Pre-LN, learned positions, GELU in its tanh form, output
head tied to the token table.

Legend: B batch, N tokens of this call, S cache slots, D width, V vocabulary, L layers.
"""

import dataclasses
from typing import Any

import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp
from einops import rearrange

from hsmtss_jax.nn.attention import KVCache
from hsmtss_jax.nn.transformer import TransformerConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class GPT2Config:
    """Configure GPT-2; the defaults are GPT-2 small's: 124,439,808 parameters."""

    vocab: int = 50257
    width: int = 768
    depth: int = 12
    heads: int = 12
    max_positions: int = 1024
    norm_eps: float = 1e-5
    dropout: float = 0.0  # 0.1 in the original's training
    remat: bool = False

    @property
    def stack(self) -> TransformerConfig:
        return TransformerConfig(
            width=self.width,
            depth=self.depth,
            heads=self.heads,
            dropout=self.dropout,
            norm_eps=self.norm_eps,
            approximate_gelu=True,
            remat=self.remat,
        )

    def make(self, dtype: Any = jnp.float32) -> "GPT2":
        """Create the module with compute dtype ``dtype``; softmax and logits are float32."""
        return GPT2(config=self, dtype=dtype)

    def cache(self, batch: int, slots: int, dtype: Any = jnp.float32) -> KVCache:
        """Create an empty cache of ``slots`` positions for every layer; leaves carry the layer axis first.

        Raises:
          ValueError: more slots than positions.
        """
        if slots > self.max_positions:
            raise ValueError(f"a cache of {slots} slots: GPT-2 has {self.max_positions} positions")
        one = KVCache.zeros(batch, slots, self.heads, self.width // self.heads, dtype)
        return jax.tree.map(lambda leaf: jnp.stack([leaf] * self.depth), one)


@flax.struct.dataclass
class GPT2Output:
    """Hold the scores of the next tokens.

    logits: float32 [B, N, V], row n scores token n + 1. cache: the updated cache, if one was given.
    """

    logits: jax.Array
    cache: KVCache | None = None


class GPT2(nn.Module):
    """Predict next tokens. Parameters: ``embedding`` (also the output head), ``position``, ``stack``."""

    config: GPT2Config
    dtype: Any = jnp.float32

    def setup(self) -> None:
        cfg = self.config
        init = nn.initializers.normal(0.02)
        self.embedding = nn.Embed(cfg.vocab, cfg.width, dtype=self.dtype, embedding_init=init)
        self.position = nn.Embed(cfg.max_positions, cfg.width, embedding_init=init)
        self.drop = nn.Dropout(cfg.dropout)
        self.stack = cfg.stack.make(self.dtype)

    def __call__(
        self,
        inputs: jax.Array,
        mask: jax.Array | None = None,
        cache: KVCache | None = None,
        *,
        train: bool = False,
    ) -> GPT2Output:
        """Score the next token after each of ``inputs``.

        Args:
          inputs: ids int [B, N], or embeddings [B, N, D] without positions (a prefix from elsewhere).
          mask: bool, True = visible: [B, N], or [B, S] over the cache's slots when a cache is given. Rows of
            hidden tokens are undefined. Hidden tokens take a position too: pad on the right.
          cache: keys and values of earlier tokens; positions count from its length, or from 0.
          train: enable dropout.

        Raises:
          ValueError: more tokens than positions, or than slots.
        """
        x = self.embed(inputs) if inputs.ndim == 2 else inputs
        x, cache = self._run(x, mask, cache, train)
        return GPT2Output(logits=self._head(x), cache=cache)

    def embed(self, ids: jax.Array) -> jax.Array:
        """Look up rows of the token table, without position: int [B, N] -> [B, N, D]."""
        return self.embedding(ids)

    def hidden(
        self, embeddings: jax.Array, mask: jax.Array | None = None, *, train: bool = False
    ) -> jax.Array:
        """Compute the last LayerNorm's output for embeddings [B, N, D], mask bool [B, N] -> [B, N, D]."""
        return self._run(embeddings, mask, None, train)[0]

    def logits(
        self, embeddings: jax.Array, mask: jax.Array | None = None, *, train: bool = False
    ) -> jax.Array:
        """Score the next token for embeddings [B, N, D], mask bool [B, N] -> float32 [B, N, V]."""
        return self._head(self.hidden(embeddings, mask, train=train))

    def _run(
        self, x: jax.Array, mask: jax.Array | None, cache: KVCache | None, train: bool
    ) -> tuple[jax.Array, KVCache | None]:
        length = x.shape[1]
        slots = length if cache is None else cache.k.shape[2]
        if length > min(slots, self.config.max_positions):
            raise ValueError(
                f"{length} tokens do not fit: GPT-2 has {self.config.max_positions} positions"
                + ("" if cache is None else f", the cache {slots} slots")
            )
        start = 0 if cache is None else cache.length[0]  # every layer holds the same length
        place = start + jnp.arange(length)
        visible = rearrange(jnp.arange(slots), "s -> 1 1 1 s") <= rearrange(place, "n -> 1 1 n 1")
        if mask is not None:
            visible = visible & rearrange(mask, "b s -> b 1 1 s")
        x = x.astype(self.dtype) + self.position(place).astype(self.dtype)[None]
        out = self.stack(
            self.drop(x, deterministic=not train), mask=visible, cache=cache, train=train
        )
        return out.x, out.cache

    def _head(self, x: jax.Array) -> jax.Array:
        table = self.embedding.embedding.astype(self.dtype)
        return jnp.einsum("bnd,vd->bnv", x, table, preferred_element_type=jnp.float32)
