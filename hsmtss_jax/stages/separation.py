"""What the separator stages share: the mixture view and the frozen features they are trained on.

Legend: B batch, L samples, P patches, N text tokens, Ca width of S, Cg width of G, Ct of T_task.
"""

import functools
from collections.abc import Mapping
from typing import Any, ClassVar

import flax.struct
import grain
import jax
import jax.numpy as jnp
from einops import rearrange

from hsmtss_jax.data.pipeline import (
    holds_features,
    mixture_dataset,
    mixture_feature_dataset,
)
from hsmtss_jax.data.text import Tokenizer
from hsmtss_jax.losses.separation import cosine, l1
from hsmtss_jax.models.q_audio import with_first
from hsmtss_jax.stages.features import Features, Frozen
from hsmtss_jax.stages.text_cache import TextCache
from hsmtss_jax.train.stage import Batch, Shard, Stage, Tree


@flax.struct.dataclass
class SeparationFeatures:
    """Frozen features of a mixture batch, without gradients.

    s_mix, s_target: [B, P, Ca]; g_mix, g_target: [B, 1, Cg]; condition: the separators' last inputs,
    T_cap [B, N, Cg] and its mask [B, N], T_task [B, Lt, Ct] and its mask [B, Lt].
    """

    s_mix: jax.Array
    s_target: jax.Array
    g_mix: jax.Array
    g_target: jax.Array
    condition: tuple[jax.Array, jax.Array, jax.Array, jax.Array]


def mixture_features(
    features: Features, frozen: Mapping[str, Tree], batch: Batch
) -> SeparationFeatures:
    """Run the frozen chain on a mixture batch: AudioMAE once on mixtures and targets together.

    What a stage does not read (G_mix, say) costs nothing: the compiler drops it.
    """
    s_mix, s_target = _local(features, frozen, batch)
    if "text_features" in batch:
        text = (batch["text_features"], with_first(batch["text_mask"]))
    else:
        text = features.text(frozen, batch["text_ids"], batch["text_mask"])
    task = features.task(frozen, batch["task"])
    out = SeparationFeatures(
        s_mix=s_mix,
        s_target=s_target,
        g_mix=features.global_(frozen, s_mix),
        g_target=features.global_(frozen, s_target),
        condition=(*text, *task),
    )
    return jax.tree.map(jax.lax.stop_gradient, out)


def _local(
    features: Features, frozen: Mapping[str, Tree], batch: Batch
) -> tuple[jax.Array, jax.Array]:
    """S of mixtures and targets, computed or read from disk."""
    if "s_mixture" in batch:
        return batch["s_mixture"].astype(jnp.float32), batch["s_target"].astype(jnp.float32)
    size = batch["mixture"].shape[0]
    both = features.local(frozen, jnp.concatenate([batch["mixture"], batch["target"]]))
    return both[:size], both[size:]


def compare(prefix: str, estimate: jax.Array, mixture: jax.Array, target: jax.Array) -> dict:
    """Cosine and L1 to the target, of the estimate and of the mixture. [B, N, C] each -> [B] each."""
    return {
        f"{prefix}/cos": jnp.mean(cosine(estimate, target), axis=1),
        f"{prefix}/cos_mixture": jnp.mean(cosine(mixture, target), axis=1),
        f"{prefix}/l1": l1(estimate, target),
        f"{prefix}/l1_mixture": l1(mixture, target),
    }


def patch_image(values: jax.Array, freq_patches: int) -> jax.Array:
    """One value a patch [P] -> image [freq, time], low frequencies at the bottom."""
    return rearrange(values, "(t f) -> f t", f=freq_patches)[::-1]


class SeparationStage(Stage):
    """A stage trained on mixtures: mixed on the fly, from disk, or their precomputed S (data.root says).

    Its config has ``samples``, the length of a window.
    """

    config: Any  # a StageConfig with ``samples``
    upstream_names: ClassVar[tuple[str, ...]] = ("audio_mae", "text_encoder", "q_audio")
    dtype: Any = jnp.float32

    @functools.cached_property
    def features(self) -> Features:
        """The frozen chain, computing in ``dtype`` (which is set before tracing)."""
        return Features(self.upstream, self.dtype)

    @functools.cached_property
    def _precomputed(self) -> bool:
        return holds_features(self.data.root)

    def batch_spec(self) -> dict[str, jax.ShapeDtypeStruct]:
        size, tokens = self.data.batch_size, self.data.max_text_tokens
        sounds: tuple[tuple[int, ...], Any] = ((size, self.config.samples), jnp.float32)
        names = ("mixture", "target")
        if self._precomputed:
            mae = self.features.audio_mae
            sounds = ((size, mae.patches, mae.width), jnp.float16)
            names = ("s_mixture", "s_target")
        shapes: dict[str, tuple[tuple[int, ...], Any]] = {
            **dict.fromkeys(names, sounds),
            "length": ((size,), jnp.int32),
            "text_ids": ((size, tokens), jnp.int32),
            "text_mask": ((size, tokens), jnp.bool_),
            "task": ((size,), jnp.int32),
        }
        if self.data.text_cache:
            shapes["text_features"] = ((size, tokens + 1, self.features.q_audio.width), jnp.float32)
        return {name: jax.ShapeDtypeStruct(*shape) for name, shape in shapes.items()}

    def dataset(self, split: str, shard: Shard, seed: int) -> grain.IterDataset:
        tokenizer = Tokenizer.from_bundle(self.upstream["text_encoder"])
        encode = self._text_cache()
        if self._precomputed:
            return mixture_feature_dataset(
                self.data,
                split,
                shard,
                seed,
                width=self.features.audio_mae.width,
                source=self.upstream["audio_mae"].digest,
                tokenizer=tokenizer,
                encode=encode,
            )
        return mixture_dataset(
            self.data,
            split,
            shard,
            seed,
            samples=self.config.samples,
            tokenizer=tokenizer,
            encode=encode,
        )

    def _text_cache(self) -> TextCache | None:
        """T_cap by caption: the text encoder and Q-Audio's text pass, both frozen here."""
        if not self.data.text_cache:
            return None
        bundles = {name: self.upstream[name] for name in ("text_encoder", "q_audio")}

        def t_cap(frozen: Frozen, ids: jax.Array, mask: jax.Array) -> jax.Array:
            return self.features.text(frozen, ids, mask)[0]

        return TextCache(self.data.text_cache, bundles, t_cap, self.dtype, extra=1)

    def read(self, frozen: Mapping[str, Tree], batch: Batch) -> SeparationFeatures:
        """The batch's frozen features."""
        return mixture_features(self.features, frozen, batch)

    def blank(self, frozen: Mapping[str, Tree], batch: Batch) -> SeparationFeatures:
        """Zeros in the shape of ``read``'s result, to initialise a model without the frozen chain."""
        shapes = jax.eval_shape(self.read, frozen, batch)
        return jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
