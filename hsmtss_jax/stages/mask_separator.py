"""Stage: train the mask baseline on mixtures (AudioSep's recipe: waveform L1, a text query).

The network masks the described sound out of the mixture. To remove it, what the mask leaves is taken:
the recording minus the described sound.

Legend: B batch, L samples, N text tokens, E width of the text encoder.
"""

import dataclasses
import functools
from collections.abc import Mapping
from typing import ClassVar

import grain
import jax
import jax.numpy as jnp

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.config import Shard, StageConfig
from hsmtss_jax.data.pipeline import mixture_dataset
from hsmtss_jax.losses.separation import l1_loss
from hsmtss_jax.models.mask_separator import (
    MaskSeparatorConfig,
    of_task,
    separate_masked,
)
from hsmtss_jax.models.text.query import make_query_encoder
from hsmtss_jax.models.text.tokenizer import Tokenizer
from hsmtss_jax.stages.panels import audio_panels
from hsmtss_jax.train.stage import Batch, Objective, Panel, Stage, StepInput, StepReport, Tree


@dataclasses.dataclass(frozen=True, kw_only=True)
class MaskSeparatorStageConfig(StageConfig):
    """Configure the baseline; the text encoder is frozen."""

    name: str = "mask_separator"
    model: MaskSeparatorConfig = dataclasses.field(default_factory=MaskSeparatorConfig)
    samples: int = 80_000  # of a training window at 16 kHz; the reference's are 5 s


def sdr(estimate: jax.Array, target: jax.Array) -> jax.Array:
    """Compute the signal-to-distortion ratio [dB], [B, L] each -> [B]; it stays finite for silence."""
    signal = jnp.sum(target**2, axis=-1)
    noise = jnp.sum((target - estimate) ** 2, axis=-1)
    return 10.0 * jnp.log10((signal + 1e-8) / (noise + 1e-8))


class MaskSeparatorStage(Stage):
    """Train one group, ``model``; aux holds the BatchNorm statistics."""

    config: MaskSeparatorStageConfig
    config_class = MaskSeparatorStageConfig
    upstream_names: ClassVar[tuple[str, ...]] = ("text_encoder",)

    def complete(self, config: MaskSeparatorStageConfig) -> MaskSeparatorStageConfig:
        """Return the config as it is. Raises ValueError for another rate than the data sets'."""
        if config.model.sample_rate != SAMPLE_RATE:
            raise ValueError(
                f"stage.model.sample_rate={config.model.sample_rate}: the data sets have {SAMPLE_RATE} Hz"
            )
        return config

    def batch_spec(self) -> dict[str, jax.ShapeDtypeStruct]:
        size, tokens = self.data.batch_size, self.data.max_text_tokens
        sound = jax.ShapeDtypeStruct((size, self.config.samples), jnp.float32)
        number = jax.ShapeDtypeStruct((size,), jnp.int32)
        return {
            "mixture": sound,
            "target": sound,
            "length": number,
            "text_ids": jax.ShapeDtypeStruct((size, tokens), jnp.int32),
            "text_mask": jax.ShapeDtypeStruct((size, tokens), jnp.bool_),
            "task": number,
            "present": jax.ShapeDtypeStruct((size,), jnp.bool_),
        }

    def dataset(self, split: str, shard: Shard, seed: int) -> grain.IterDataset:
        tokenizer = Tokenizer.from_bundle(self.upstream["text_encoder"])
        return mixture_dataset(
            self.data, split, shard, seed, samples=self.config.samples, tokenizer=tokenizer
        )

    def query(self, frozen: Mapping[str, Tree], batch: Batch) -> jax.Array:
        """Encode the batch's queries: [B, E]."""
        bundle = self.upstream["text_encoder"]
        encoder = make_query_encoder(bundle.stage, bundle.config)
        ids, mask = batch["text_ids"], batch["text_mask"]
        return encoder(frozen["text_encoder"], ids, mask, self.dtype)

    def init(
        self, key: jax.Array, batch: Batch, frozen: Mapping[str, Tree]
    ) -> tuple[dict[str, Tree], Tree]:
        width = jax.eval_shape(self.query, frozen, batch).shape[1]
        model = self.config.model.make(self.dtype)
        variables = model.init(key, batch["mixture"][:1], jnp.zeros((1, width)))
        return {"model": variables["params"]}, {"batch_stats": variables["batch_stats"]}

    def objectives(self) -> dict[str, Objective]:
        return {"model": self._loss}

    def _loss(self, inputs: StepInput) -> tuple[jax.Array, StepReport]:
        batch = inputs.batch
        described, aux = self.config.model.make(self.dtype).apply(
            {"params": inputs.params["model"], **inputs.aux},
            batch["mixture"],
            self.query(inputs.frozen, batch),
            train=True,
            mutable=["batch_stats"],
        )
        estimate = of_task(described, batch["mixture"], batch["task"])
        metrics = {"sdr": jnp.mean(sdr(estimate, batch["target"]))}
        return jnp.mean(l1_loss(estimate, batch["target"])), StepReport(
            metrics=metrics, aux=dict(aux)
        )

    def estimate(self, inputs: StepInput) -> jax.Array:
        """Separate the batch's mixtures: [B, L]."""
        batch = inputs.batch
        query = self.query(inputs.frozen, batch)
        variables = {"params": inputs.params["model"], **inputs.aux}
        return separate_masked(
            self.config.model, variables, batch["mixture"], query, batch["task"], self.dtype
        )

    def eval_metrics(self, inputs: StepInput) -> dict[str, jax.Array]:
        """Compute L1 and SDR of the estimate, and of the mixture (the score of doing nothing), [B] each."""
        estimate = self.estimate(inputs)
        mixture, target = inputs.batch["mixture"], inputs.batch["target"]
        return {
            "loss": l1_loss(estimate, target),
            "l1_mixture": l1_loss(mixture, target),
            "sdr": sdr(estimate, target),
            "sdr_mixture": sdr(mixture, target),
        }

    @functools.partial(jax.jit, static_argnums=0)
    def _estimate(self, inputs: StepInput) -> jax.Array:
        return self.estimate(inputs)

    def panels(self, inputs: StepInput) -> dict[str, Panel]:
        """Show the first mixture, what is made of it, and its target: spectrograms and sounds."""
        first = inputs.first()
        mixture, target = first.batch["mixture"], first.batch["target"]
        return audio_panels(
            {"mixture": mixture, "estimate": self._estimate(first), "target": target}
        )

    def release(self, params: Mapping[str, Tree], aux: Tree) -> Tree:
        return {"params": params["model"], "batch_stats": aux["batch_stats"]}
