"""Stage: a linear map from frozen audio features to a prefix of GPT-2 (HSM-TSS Table VI).

Measures what the two-level representation says about a sound; no other stage builds on it.

Legend: B batch, L samples, N text tokens, K prefix tokens, D width of GPT-2, V vocabulary.
"""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, ClassVar

import flax.struct
import grain
import jax
import jax.numpy as jnp

from hsmtss_jax.bundles.networks import read_encoders
from hsmtss_jax.config import StageConfig, from_dict
from hsmtss_jax.data.pipeline import caption_dataset
from hsmtss_jax.losses.captioning import atg_loss
from hsmtss_jax.models.captioner import CaptionerConfig, caption_prefix, language_model
from hsmtss_jax.models.gpt2 import GPT2, GPT2Config
from hsmtss_jax.models.semantics import Encoders
from hsmtss_jax.models.text.tokenizer import CausalTokenizer
from hsmtss_jax.train.stage import Batch, Objective, Report, Shard, Stage, StepInput, Tree


@dataclasses.dataclass(frozen=True, kw_only=True)
class CaptionerStageConfig(StageConfig):
    """The linear map, and whether GPT-2 learns with it."""

    name: str = "captioner"
    model: CaptionerConfig = dataclasses.field(default_factory=CaptionerConfig)
    samples: int = 160_000  # of a window at 16 kHz
    finetune: bool = True  # GPT-2 is trained with the map, as in the paper; else the map alone


@flax.struct.dataclass
class Losses:
    """Per-example values, each [B]: cross-entropy a token, share of tokens that are the likeliest."""

    loss: jax.Array
    accuracy: jax.Array


class CaptionerStage(Stage):
    """One group, ``model`` = {map, and gpt2 when it is fine-tuned}."""

    config: CaptionerStageConfig
    upstream_names: ClassVar[tuple[str, ...]] = ("audio_mae", "q_audio", "gpt2")
    dtype: Any = jnp.float32

    @functools.cached_property
    def encoders(self) -> Encoders:
        """The frozen chain below."""
        return read_encoders(self.upstream, self.dtype)

    @functools.cached_property
    def gpt2(self) -> GPT2Config:
        """The language model's sizes."""
        return from_dict(GPT2Config, self.upstream["gpt2"].config["model"])

    def batch_spec(self) -> dict[str, jax.ShapeDtypeStruct]:
        size, tokens = self.data.batch_size, self.data.max_text_tokens
        return {
            "audio": jax.ShapeDtypeStruct((size, self.config.samples), jnp.float32),
            "length": jax.ShapeDtypeStruct((size,), jnp.int32),
            "text_ids": jax.ShapeDtypeStruct((size, tokens), jnp.int32),
            "text_mask": jax.ShapeDtypeStruct((size, tokens), jnp.bool_),
            "caption_id": jax.ShapeDtypeStruct((size,), jnp.int32),
        }

    def dataset(self, split: str, shard: Shard, seed: int) -> grain.IterDataset:
        tokenizer = CausalTokenizer.from_bundle(self.upstream["gpt2"])
        return caption_dataset(
            self.data, split, shard, seed, samples=self.config.samples, tokenizer=tokenizer
        )

    def init(
        self, key: jax.Array, batch: Batch, frozen: Mapping[str, Tree]
    ) -> tuple[dict[str, Tree], Tree]:
        """A random map; with ``finetune`` GPT-2 as it is upstream."""
        cfg = self.config.model
        if cfg.width != self.gpt2.width:
            raise ValueError(f"model.width is {cfg.width}, but GPT-2 is {self.gpt2.width} wide")
        encoder = self.encoders.audio_mae
        if cfg.use_local and cfg.freq_patches != encoder.freq_patches:
            raise ValueError(f"model.freq_patches must be the encoder's {encoder.freq_patches}")
        g = jnp.zeros((1, 1, self.encoders.q_audio.global_width))
        s = jnp.zeros((1, encoder.patches, encoder.width))
        params = {"map": cfg.make(self.dtype).init(key, g, s)["params"]}
        if self.config.finetune:
            params["gpt2"] = jax.tree.map(jnp.copy, frozen["gpt2"])
        return {"model": params}, {}

    def objectives(self) -> dict[str, Objective]:
        return {"model": self._loss}

    def _loss(self, inputs: StepInput) -> tuple[jax.Array, Report]:
        losses = self._losses(inputs.params["model"], inputs.frozen, inputs.batch)
        metrics = {"loss": jnp.mean(losses.loss), "accuracy": jnp.mean(losses.accuracy)}
        return metrics["loss"], Report(metrics=metrics, aux=inputs.aux)

    def _losses(self, params: Tree, frozen: Mapping[str, Tree], batch: Batch) -> Losses:
        ids, mask = batch["text_ids"], batch["text_mask"]
        start = caption_prefix(self.config.model, self.encoders, params, frozen, batch["audio"])
        logits = self._logits(language_model(params, frozen), start, ids)
        right = (jnp.argmax(logits, axis=-1) == ids) & mask
        return Losses(
            loss=atg_loss(logits, ids, mask, smoothing=0.0),
            accuracy=jnp.sum(right, axis=1) / jnp.maximum(jnp.sum(mask, axis=1), 1),
        )

    def _logits(self, params: Tree, start: jax.Array, ids: jax.Array) -> jax.Array:
        """Scores of each of the tokens [B, N] behind the prefix [B, K, D]: [B, N, V]."""

        def run(model: GPT2) -> jax.Array:
            words = model.embed(ids[:, :-1]).astype(start.dtype)
            return model.logits(jnp.concatenate([start, words], axis=1))[:, start.shape[1] - 1 :]

        logits = self.gpt2.make(self.dtype).apply({"params": params}, method=run)
        assert isinstance(logits, jax.Array)
        return logits

    def eval_metrics(
        self,
        params: Mapping[str, Tree],
        aux: Tree,
        frozen: Mapping[str, Tree],
        batch: Batch,
        key: jax.Array,
    ) -> dict[str, jax.Array]:
        """Cross-entropy a token (``loss``) and the share of tokens that are the likeliest."""
        del aux, key
        losses = self._losses(params["model"], frozen, batch)
        return {"loss": losses.loss, "accuracy": losses.accuracy}

    def release(self, params: Mapping[str, Tree], aux: Tree) -> Tree:
        del aux
        return params["model"]
