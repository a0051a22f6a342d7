"""Base classes of the stages: on single clips, on captioned clips, on mixtures.

Legend: B batch, L samples, P patches, N text tokens, Ca width of S, Cg width of G, Ct of T_task.
"""

import functools
from collections.abc import Mapping
from typing import Any, ClassVar

import flax.struct
import grain
import jax
import jax.numpy as jnp

from hsmtss_jax.bundles.networks import read_encoders
from hsmtss_jax.config import Shard
from hsmtss_jax.data.pipeline import (
    clip_dataset,
    holds_features,
    mixture_dataset,
    mixture_feature_dataset,
)
from hsmtss_jax.losses.separation import cosine, l1_loss
from hsmtss_jax.models.q_audio import with_first
from hsmtss_jax.models.semantics import Encoders, Semantics
from hsmtss_jax.models.separators import TextCondition
from hsmtss_jax.models.text.tokenizer import Tokenizer
from hsmtss_jax.precompute.text import TextCache
from hsmtss_jax.train.stage import Batch, Stage, Tree


class SoundStage(Stage):
    """Read windows of sound. The stage's config has ``samples``, the length L of a window."""

    config: Any  # a StageConfig with ``samples``

    @functools.cached_property
    def encoders(self) -> Encoders:
        """Build the frozen encoders of the upstream bundles."""
        return read_encoders(self.upstream, self.dtype)

    def patch_sizes(self) -> dict[str, int]:
        """Return the sizes of S, as configs of networks that read it name them."""
        mae = self.encoders.audio_mae
        return {
            "audio_width": mae.width,
            "time_patches": mae.time_patches,
            "freq_patches": mae.freq_patches,
        }


class ClipStage(SoundStage):
    """Read clips, {"audio" [B, L], "length" [B]}."""

    def batch_spec(self) -> dict[str, jax.ShapeDtypeStruct]:
        size = self.data.batch_size
        return {
            "audio": jax.ShapeDtypeStruct((size, self.config.samples), jnp.float32),
            "length": jax.ShapeDtypeStruct((size,), jnp.int32),
        }

    def dataset(self, split: str, shard: Shard, seed: int) -> grain.IterDataset:
        return clip_dataset(self.data, split, shard, seed, samples=self.config.samples)


class CaptionStage(ClipStage):
    """Read clips with a caption: adds "text_ids", "text_mask" [B, N], "caption_id" [B]."""

    def batch_spec(self) -> dict[str, jax.ShapeDtypeStruct]:
        size, tokens = self.data.batch_size, self.data.max_text_tokens
        return {
            **super().batch_spec(),
            "text_ids": jax.ShapeDtypeStruct((size, tokens), jnp.int32),
            "text_mask": jax.ShapeDtypeStruct((size, tokens), jnp.bool_),
            "caption_id": jax.ShapeDtypeStruct((size,), jnp.int32),
        }


@flax.struct.dataclass
class MixtureFeatures:
    """Hold frozen features of a mixture batch, without gradients; g is None where no G is used."""

    mixture: Semantics
    target: Semantics
    condition: TextCondition


def mixture_features(
    encoders: Encoders, frozen: Mapping[str, Tree], batch: Batch
) -> MixtureFeatures:
    """Run the frozen chain on a mixture batch: AudioMAE once on mixtures and targets together.

    What a stage does not read (G_mix, say) costs nothing: the compiler drops it.
    """
    s_mix, s_target = local_features(encoders, frozen, batch)
    if "text_features" in batch:
        text = (batch["text_features"], with_first(batch["text_mask"]))
    else:
        text = encoders.text(frozen, batch["text_ids"], batch["text_mask"])
    out = MixtureFeatures(
        mixture=Semantics(s=s_mix, g=encoders.global_(frozen, s_mix)),
        target=Semantics(s=s_target, g=encoders.global_(frozen, s_target)),
        condition=TextCondition(*text, *encoders.task(frozen, batch["task"])),
    )
    return jax.tree.map(jax.lax.stop_gradient, out)


def local_features(
    encoders: Encoders, frozen: Mapping[str, Tree], batch: Batch
) -> tuple[jax.Array, jax.Array]:
    """Return S of mixtures and of targets, [B, P, Ca] each: computed, or as it was read from disk."""
    if "s_mixture" in batch:
        return batch["s_mixture"].astype(jnp.float32), batch["s_target"].astype(jnp.float32)
    size = batch["mixture"].shape[0]
    both = encoders.local(frozen, jnp.concatenate([batch["mixture"], batch["target"]]))
    return both[:size], both[size:]


def compare(prefix: str, estimate: jax.Array, mixture: jax.Array, target: jax.Array) -> dict:
    """Compute cosine and L1 to the target of estimate and mixture, [B, N, C] each -> [B] each."""
    return {
        f"{prefix}/cos": jnp.mean(cosine(estimate, target), axis=1),
        f"{prefix}/cos_mixture": jnp.mean(cosine(mixture, target), axis=1),
        f"{prefix}/l1": l1_loss(estimate, target),
        f"{prefix}/l1_mixture": l1_loss(mixture, target),
    }


class MixtureStage(SoundStage):
    """Read mixtures: mixed on the fly, from disk, or their precomputed S (data.root says)."""

    upstream_names: ClassVar[tuple[str, ...]] = ("audio_mae", "text_encoder", "q_audio")
    text_extra: ClassVar[int] = 1  # rows of ``text`` beyond the caption's tokens: [CLS]

    @functools.cached_property
    def _precomputed(self) -> bool:
        return holds_features(self.data)

    def batch_spec(self) -> dict[str, jax.ShapeDtypeStruct]:
        size, tokens = self.data.batch_size, self.data.max_text_tokens
        sounds: tuple[tuple[int, ...], Any] = ((size, self.config.samples), jnp.float32)
        names = ("mixture", "target")
        if self._precomputed:
            mae = self.encoders.audio_mae
            sounds = ((size, mae.patches, mae.width), jnp.float16)
            names = ("s_mixture", "s_target")
        shapes: dict[str, tuple[tuple[int, ...], Any]] = {
            **dict.fromkeys(names, sounds),
            "length": ((size,), jnp.int32),
            "text_ids": ((size, tokens), jnp.int32),
            "text_mask": ((size, tokens), jnp.bool_),
            "task": ((size,), jnp.int32),
            "present": ((size,), jnp.bool_),
        }
        if self.data.text_cache:
            rows = tokens + self.text_extra
            shapes["text_features"] = ((size, rows, self.text_width), jnp.float32)
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
                width=self.encoders.audio_mae.width,
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

    @property
    def text_width(self) -> int:
        """Return the width of the text that the separators read."""
        return self.encoders.q_audio.width

    def text(self, frozen: Mapping[str, Tree], ids: jax.Array, mask: jax.Array) -> jax.Array:
        """Encode token ids and mask [B, N] as the separators read them: T_cap [B, N + 1, Cg]."""
        return self.encoders.text(frozen, ids, mask)[0]

    def _text_cache(self) -> TextCache | None:
        """Return a cache of ``text`` by caption: all that it reads is frozen here."""
        if not self.data.text_cache:
            return None
        names = [name for name in self.upstream_names if name != "audio_mae"]
        bundles = {name: self.upstream[name] for name in names}
        return TextCache(self.data.text_cache, bundles, self.text, self.dtype, self.text_extra)

    def read(self, frozen: Mapping[str, Tree], batch: Batch) -> MixtureFeatures:
        """Compute the batch's frozen features."""
        return mixture_features(self.encoders, frozen, batch)

    def blank(self, frozen: Mapping[str, Tree], batch: Batch) -> MixtureFeatures:
        """Return zeros in the shape of ``read``'s result, to initialise a model without the encoders."""
        shapes = jax.eval_shape(self.read, frozen, batch)
        return jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
