"""Stage: a linear map from frozen audio features to a prefix of GPT-2 (HSM-TSS Table VI).

Measures what the two-level representation says about a sound; no other stage builds on it.

Legend: B batch, L samples, N text tokens, K prefix tokens, D width of GPT-2, V vocabulary.
"""

import dataclasses
import functools
from collections.abc import Mapping
from typing import ClassVar

import flax.struct
import grain
import jax
import jax.numpy as jnp

from hsmtss_jax.audio.constants import CLIP_SAMPLES
from hsmtss_jax.config import Shard, StageConfig
from hsmtss_jax.conversion import from_dict
from hsmtss_jax.data.pipeline import caption_dataset
from hsmtss_jax.losses.captioning import atg_loss
from hsmtss_jax.models.captioner import CaptionerConfig, caption_prefix, language_model
from hsmtss_jax.models.gpt2 import GPT2, GPT2Config
from hsmtss_jax.models.text.tokenizer import CausalTokenizer
from hsmtss_jax.nn.apply import apply
from hsmtss_jax.stages.base import CaptionStage
from hsmtss_jax.stages.sizes import inherit, with_sizes
from hsmtss_jax.train.stage import Batch, Objective, StepInput, StepReport, Tree


@dataclasses.dataclass(frozen=True, kw_only=True)
class CaptionerStageConfig(StageConfig):
    """Configure the linear map, and whether GPT-2 learns with it."""

    name: str = "captioner"
    # width and freq_patches: None is GPT-2's and AudioMAE's
    model: CaptionerConfig = dataclasses.field(default_factory=lambda: inherit(CaptionerConfig()))
    samples: int = CLIP_SAMPLES  # of a window at 16 kHz
    finetune: bool = True  # GPT-2 is trained with the map, as in the paper; else the map alone


@flax.struct.dataclass
class CaptionScores:
    """Hold values [B]: cross-entropy a token, share of tokens that are the likeliest."""

    loss: jax.Array
    accuracy: jax.Array


class CaptionerStage(CaptionStage):
    """Train one group, ``model`` = {map, and gpt2 when it is fine-tuned}."""

    config: CaptionerStageConfig
    config_class = CaptionerStageConfig
    upstream_names: ClassVar[tuple[str, ...]] = ("audio_mae", "q_audio", "gpt2")

    def complete(self, config: CaptionerStageConfig) -> CaptionerStageConfig:
        bands = self.encoders.audio_mae.freq_patches
        return with_sizes(config, {"width": self.gpt2.width, "freq_patches": bands})

    @functools.cached_property
    def gpt2(self) -> GPT2Config:
        """Return the language model's sizes."""
        return from_dict(GPT2Config, self.upstream["gpt2"].config["model"])

    def dataset(self, split: str, shard: Shard, seed: int) -> grain.IterDataset:
        tokenizer = CausalTokenizer.from_bundle(self.upstream["gpt2"])
        return caption_dataset(
            self.data, split, shard, seed, samples=self.config.samples, tokenizer=tokenizer
        )

    def init(
        self, key: jax.Array, batch: Batch, frozen: Mapping[str, Tree]
    ) -> tuple[dict[str, Tree], Tree]:
        """Create a random map; with ``finetune`` take GPT-2 as it is upstream."""
        cfg, encoder = self.config.model, self.encoders.audio_mae
        g = jnp.zeros((1, 1, self.encoders.q_audio.global_width))
        s = jnp.zeros((1, encoder.patches, encoder.width))
        params = {"map": cfg.make(self.dtype).init(key, g, s)["params"]}
        if self.config.finetune:
            params["gpt2"] = jax.tree.map(jnp.copy, frozen["gpt2"])
        return {"model": params}, {}

    def objectives(self) -> dict[str, Objective]:
        return {"model": self._loss}

    def _loss(self, inputs: StepInput) -> tuple[jax.Array, StepReport]:
        scores = self._scores(inputs)
        metrics = {"loss": jnp.mean(scores.loss), "accuracy": jnp.mean(scores.accuracy)}
        return metrics["loss"], StepReport(metrics=metrics, aux=inputs.aux)

    def _scores(self, inputs: StepInput) -> CaptionScores:
        params, frozen, batch = inputs.params["model"], inputs.frozen, inputs.batch
        ids, mask = batch["text_ids"], batch["text_mask"]
        start = caption_prefix(self.config.model, self.encoders, params, frozen, batch["audio"])
        logits = self._logits(language_model(params, frozen), start, ids)
        correct = (jnp.argmax(logits, axis=-1) == ids) & mask
        return CaptionScores(
            loss=atg_loss(logits, ids, mask, smoothing=0.0),
            accuracy=jnp.sum(correct, axis=1) / jnp.maximum(jnp.sum(mask, axis=1), 1),
        )

    def _logits(self, params: Tree, start: jax.Array, ids: jax.Array) -> jax.Array:
        """Compute logits [B, N, V] of the tokens [B, N] behind the prefix [B, K, D]."""

        def run(model: GPT2) -> jax.Array:
            words = model.embed(ids[:, :-1]).astype(start.dtype)
            return model.logits(jnp.concatenate([start, words], axis=1))[:, start.shape[1] - 1 :]

        model = self.gpt2.make(self.dtype)
        return apply(model, {"params": params}, method=run, out=jax.Array)

    def eval_metrics(self, inputs: StepInput) -> dict[str, jax.Array]:
        """Compute cross-entropy a token (``loss``) and the share of tokens that are the likeliest."""
        scores = self._scores(inputs)
        return {"loss": scores.loss, "accuracy": scores.accuracy}

    def release(self, params: Mapping[str, Tree], aux: Tree) -> Tree:
        del aux
        return params["model"]
