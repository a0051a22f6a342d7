"""Q-Audio: one learnable query attends to AudioMAE's features and the text (HSM-TSS section III-B).

A two-layer BERT-like (post-LN) transformer after BLIP-2's Q-Former: query and text share self-attention,
only the query has cross-attention to the audio, each has its own feed-forward part.

Legend: B batch, P patches, N text tokens, D width, Ca width of S, Ct width of the text encoder,
E contrastive width, V vocabulary.
"""

import dataclasses
import functools
from typing import Any, Literal

import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp

from hsmtss_jax.config import Inherited
from hsmtss_jax.nn.attention import KVCache, MultiHeadAttention
from hsmtss_jax.nn.few_query_attention import FewQueryAttention

INIT = nn.initializers.normal(0.02)


@dataclasses.dataclass(frozen=True, kw_only=True)
class QAudioConfig:
    """Configure Q-Audio; depth and the single query are the paper's, the rest BLIP-2's (BERT-base)."""

    width: int = 768
    depth: int = 2
    heads: int = 12
    mlp: int = 3072
    dropout: float = 0.1
    norm_eps: float = 1e-12
    audio_width: Inherited = 768  # Ca
    text_width: Inherited = 768  # Ct; projected to the width only where they differ
    contrastive: int = 256  # E
    max_text: int = 64  # N at most, the text encoder's special tokens counted
    vocab: Inherited = 32128
    # ATG logits by text_width^-0.5: T5's table rows are large, BERT's are not
    scale_logits: bool = True
    g_source: Literal["hidden", "projected"] = "hidden"  # what is called G
    temperature: float = 0.07  # initial
    min_temperature: float = 0.01
    max_temperature: float = 0.5

    @property
    def global_width(self) -> int:
        """Return Cg, the width of G."""
        return self.width if self.g_source == "hidden" else self.contrastive

    def make(self, dtype: Any = jnp.float32) -> "QAudio":
        """Create the module with compute dtype ``dtype``."""
        return QAudio(config=self, dtype=dtype)


@flax.struct.dataclass
class AudioPass:
    """Hold the query's pass over the audio.

    g: [B, 1, D], the query's output. cache: its keys and values in each layer, for ATG.
    """

    g: jax.Array
    cache: KVCache


class FeedForward(nn.Module):
    """Apply Dense mlp, GELU and Dense D."""

    config: QAudioConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        cfg = self.config
        up = nn.Dense(cfg.mlp, dtype=self.dtype, kernel_init=INIT, name="up")
        down = nn.Dense(cfg.width, dtype=self.dtype, kernel_init=INIT, name="down")
        return down(nn.gelu(up(x), approximate=False))


Carry = tuple[jax.Array | None, jax.Array | None]


class QAudioLayer(nn.Module):
    """Apply one post-LN layer to (query [B, 1, D] or None, text [B, N, D] or None); for ``nn.scan``."""

    config: QAudioConfig
    dtype: Any = jnp.float32
    train: bool = False

    def _add(self, name: str, x: jax.Array, update: jax.Array) -> jax.Array:
        update = nn.Dropout(self.config.dropout, deterministic=not self.train)(update)
        norm = nn.LayerNorm(epsilon=self.config.norm_eps, dtype=self.dtype, name=name)
        return norm(x + update)

    @nn.compact
    def __call__(
        self,
        carry: Carry,
        cache: KVCache | None,
        audio: jax.Array | None,
        mask: jax.Array | None,
    ) -> tuple[Carry, KVCache | None]:
        query, text = carry
        x = jnp.concatenate([part for part in carry if part is not None], axis=1)
        attention = MultiHeadAttention(
            self.config.heads, self.dtype, kernel_init=INIT, out_init=INIT, name="attention"
        )
        attended = attention(x, mask=mask, cache=cache)
        x = self._add("attention_norm", x, attended.out)
        split = 0 if query is None else query.shape[1]
        if query is not None and audio is not None:
            query = x[:, :split]
            cross = FewQueryAttention(
                self.config.heads, self.dtype, kernel_init=INIT, name="cross_attention"
            )
            query = self._add("cross_norm", query, cross(query, audio))
            update = FeedForward(self.config, self.dtype, name="ffn_query")(query)
            query = self._add("ffn_query_norm", query, update)
        if text is not None:
            text = x[:, split:]
            update = FeedForward(self.config, self.dtype, name="ffn_text")(text)
            text = self._add("ffn_text_norm", text, update)
        return (query, text), attended.cache


class Embeddings(nn.Module):
    """Embed query and text: positions for the text, one LayerNorm for both."""

    config: QAudioConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        cfg = self.config
        vector = (1, 1, cfg.width)
        self.query = self.param("query", INIT, vector)
        self.cls = self.param("cls_token", INIT, vector)
        self.dec = self.param("dec_token", INIT, vector)
        self.position = self.param("position", INIT, (cfg.max_text + 1, cfg.width))
        self.encoder_norm = nn.LayerNorm(epsilon=cfg.norm_eps, dtype=self.dtype)
        self.table_norm = nn.LayerNorm(epsilon=cfg.norm_eps, dtype=self.dtype)
        self.norm = nn.LayerNorm(epsilon=cfg.norm_eps, dtype=self.dtype)
        self.drop = nn.Dropout(cfg.dropout)
        if cfg.text_width != cfg.width:
            self.project = nn.Dense(cfg.width, dtype=self.dtype, kernel_init=INIT)

    def of_query(self, batch: int, *, train: bool) -> jax.Array:
        """Return the query [B, 1, D]."""
        query = jnp.broadcast_to(self.query.astype(self.dtype), (batch, 1, self.config.width))
        return self.drop(self.norm(query), deterministic=not train)

    def of_text(self, features: jax.Array, source: str, *, train: bool) -> jax.Array:
        """Embed encoder outputs (source "encoder": [CLS] in front) or table rows ("table": [DEC] in front).

        features: [B, N, Ct] -> [B, N + 1, D]. The two sources differ in scale: each has its own norm.

        Raises:
          ValueError: more than max_text tokens.
        """
        cfg = self.config
        if features.shape[1] > cfg.max_text:
            raise ValueError(f"{features.shape[1]} text tokens, Q-Audio takes {cfg.max_text}")
        encoder = source == "encoder"
        x = (self.encoder_norm if encoder else self.table_norm)(features)
        if cfg.text_width != cfg.width:
            x = self.project(x)
        first = (self.cls if encoder else self.dec).astype(self.dtype)
        first = jnp.broadcast_to(first, (x.shape[0], 1, cfg.width))
        x = jnp.concatenate([first, x.astype(self.dtype)], axis=1)
        x = x + self.position[None, : x.shape[1]].astype(self.dtype)
        return self.drop(self.norm(x), deterministic=not train)


class QAudioStack(nn.Module):
    """Apply the scanned layers; see ``QAudio`` for the passes.

    Args:
      query: [B, Q, D], or None.
      text: [B, N, D], or None.
      audio: S [B, P, Ca] that queries read, or None.
      mask: bool, what attends to what, True = yes; None: all to all.
      cache: keys and values of the tokens before, stacked over layers.
      train: dropout is on.
    """

    config: QAudioConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self,
        query: jax.Array | None,
        text: jax.Array | None,
        *,
        audio: jax.Array | None = None,
        mask: jax.Array | None = None,
        cache: KVCache | None = None,
        train: bool = False,
    ) -> tuple[Carry, KVCache | None]:
        layers = nn.scan(
            QAudioLayer,
            variable_axes={"params": 0},
            split_rngs={"params": True, "dropout": True},
            in_axes=(0, nn.broadcast, nn.broadcast),
            length=self.config.depth,
        )
        return layers(self.config, self.dtype, train, name="layers")(
            (query, text), cache, audio, mask
        )


class QAudio(nn.Module):
    """Encode audio and text by the query transformer, with pre-training heads (``match_*``, ``lm_*``)."""

    config: QAudioConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        cfg = self.config

        def dense(features: int) -> nn.Dense:
            return nn.Dense(features, dtype=self.dtype, kernel_init=INIT)

        def norm() -> nn.LayerNorm:
            return nn.LayerNorm(epsilon=cfg.norm_eps, dtype=self.dtype)

        self.embeddings = Embeddings(cfg, self.dtype)
        self.audio_norm = norm()
        self.stack = QAudioStack(cfg, self.dtype)
        self.audio_projection = dense(cfg.contrastive)
        self.text_projection = dense(cfg.contrastive)
        self.match_head = dense(2)
        initial = nn.initializers.constant(cfg.temperature)
        self.raw_temperature = self.param("temperature", initial, ())
        self.lm_transform = dense(cfg.text_width)
        self.lm_norm = norm()
        # A release holds no LM head, and setup asks for a bare parameter whoever calls.
        if self.is_initializing() or self.has_variable("params", "lm_bias"):
            self.lm_bias = self.param("lm_bias", nn.initializers.zeros, (cfg.vocab,))

    def audio_pass(self, s: jax.Array, *, train: bool = False) -> AudioPass:
        """Run the query alone over S [B, P, Ca] -> its output, keys and values."""
        cfg = self.config
        query = self.embeddings.of_query(s.shape[0], train=train)
        head = cfg.width // cfg.heads
        empty = KVCache.zeros(s.shape[0], 1, cfg.heads, head, self.dtype)
        empty = jax.tree.map(lambda leaf: jnp.stack([leaf] * cfg.depth), empty)
        (g, _), cache = self.stack(query, None, audio=self.audio_norm(s), cache=empty, train=train)
        assert g is not None and cache is not None
        return AudioPass(g=g, cache=cache)

    def audio(self, s: jax.Array, *, train: bool = False) -> jax.Array:
        """Compute the global semantic feature G [B, 1, Cg] of S [B, P, Ca]; see ``g_source``."""
        g = self.audio_pass(s, train=train).g
        return g if self.config.g_source == "hidden" else self.project_audio(g)[:, None]

    def text(self, features: jax.Array, mask: jax.Array, *, train: bool = False) -> jax.Array:
        """Compute T_cap [B, N + 1, D], [CLS] first, of encoder outputs [B, N, Ct] and mask bool [B, N]."""
        x = self.embeddings.of_text(features, "encoder", train=train)
        visible = with_first(mask)[:, None, None, :]
        (_, t_cap), _ = self.stack(None, x, mask=visible, train=train)
        assert t_cap is not None
        return t_cap

    def match(
        self, s: jax.Array, features: jax.Array, mask: jax.Array, *, train: bool = False
    ) -> jax.Array:
        """Compute ATM logits [B, 2] (no match, match): query and text attend to each other."""
        query = self.embeddings.of_query(s.shape[0], train=train)
        text = self.embeddings.of_text(features, "encoder", train=train)
        visible = with_first(with_first(mask))[:, None, None, :]
        (read, _), _ = self.stack(query, text, audio=self.audio_norm(s), mask=visible, train=train)
        assert read is not None
        return self.match_head(read).mean(axis=1).astype(jnp.float32)

    def caption(
        self,
        audio: AudioPass,
        rows: jax.Array,
        mask: jax.Array,
        table: jax.Array,
        *,
        source: str = "table",
        train: bool = False,
    ) -> jax.Array:
        """Compute ATG logits float32 [B, N, V] of tokens y_1..y_N given [DEC], the audio and earlier tokens.

        Args:
          audio: the audio pass, whose keys and values are a one-token prefix.
          rows: features of y_1..y_N, [B, N, Ct]; the last is not fed.
          mask: bool [B, N], True = token.
          table: the text encoder's token table [V, Ct], to which the head is tied.
          source: kind of the features, see ``Embeddings.of_text``.
          train: enable dropout.
        """
        x = self.embeddings.of_text(rows[:, :-1], source, train=train)
        count = x.shape[1]
        cache = dataclasses.replace(
            audio.cache, k=_with_room(audio.cache.k, count), v=_with_room(audio.cache.v, count)
        )
        causal = jnp.tril(jnp.ones((count, count + 1), bool), k=1)
        visible = causal[None] & with_first(with_first(mask[:, :-1]))[:, None, :]
        (_, out), _ = self.stack(None, x, mask=visible[:, None], cache=cache, train=train)
        assert out is not None
        x = self.lm_norm(nn.gelu(self.lm_transform(out), approximate=False))
        if self.config.scale_logits:
            x = x * self.config.text_width**-0.5
        logits = jnp.einsum("bnc,vc->bnv", x, table.astype(x.dtype))
        return logits.astype(jnp.float32) + self.lm_bias[None, None]

    def project_audio(self, g: jax.Array) -> jax.Array:
        """Project the query's output [B, 1, D] -> z_a [B, E], unit length."""
        return unit(self.audio_projection(g[:, 0]))

    def project_text(self, t_cap: jax.Array) -> jax.Array:
        """Project the [CLS] of T_cap [B, N + 1, D] -> z_t [B, E], unit length."""
        return unit(self.text_projection(t_cap[:, 0]))

    def temperature(self) -> jax.Array:
        """Return the contrastive temperature, a positive scalar within the config's bounds."""
        cfg = self.config
        return bounded(self.raw_temperature, cfg.min_temperature, cfg.max_temperature)

    def __call__(
        self, s: jax.Array, features: jax.Array, mask: jax.Array, table: jax.Array
    ) -> jax.Array:
        """Use every parameter, to initialise them -> G."""
        audio = self.audio_pass(s)
        self.match(s, features, mask)
        self.caption(audio, features, mask, table)
        self.project_text(self.text(features, mask))
        self.project_audio(audio.g)
        return audio.g


@functools.partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def bounded(x: jax.Array, low: float, high: float) -> jax.Array:
    """Clip x to [low, high], and pass only gradients that lead back from beyond a bound.

    Unlike behind a plain clip, a parameter beyond a bound neither drifts further nor stays there for good.
    """
    return jnp.clip(x, low, high)


def _bounded_forward(x: jax.Array, low: float, high: float) -> tuple[jax.Array, jax.Array]:
    return jnp.clip(x, low, high), x


def _bounded_backward(
    low: float, high: float, x: jax.Array, gradient: jax.Array
) -> tuple[jax.Array]:
    outwards = ((x <= low) & (gradient > 0)) | ((x >= high) & (gradient < 0))
    return (jnp.where(outwards, 0.0, gradient),)


bounded.defvjp(_bounded_forward, _bounded_backward)


def with_first(mask: jax.Array) -> jax.Array:
    """Prepend a visible position: bool [B, N] -> [B, N + 1]."""
    return jnp.pad(mask, ((0, 0), (1, 0)), constant_values=True)


def unit(x: jax.Array) -> jax.Array:
    """Normalise x [..., E] to unit length, in float32."""
    x = x.astype(jnp.float32)
    return x * jax.lax.rsqrt(jnp.sum(x**2, axis=-1, keepdims=True) + 1e-12)


def _with_room(cached: jax.Array, count: int) -> jax.Array:
    """Append empty slots: [layers, B, 1, H, E] -> [layers, B, 1 + count, H, E]."""
    return jnp.pad(cached, ((0, 0), (0, 0), (0, count), (0, 0), (0, 0)))
