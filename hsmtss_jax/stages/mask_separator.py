"""Stage: train the mask baseline on mixtures (AudioSep's recipe: waveform L1, a text query).

The network masks the described sound out of the mixture. To remove it, what the mask leaves is taken:
the recording minus the described sound.

Legend: B batch, L samples, N text tokens, E width of the text encoder.
"""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, ClassVar

import grain
import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.audio.stft import power, stft
from hsmtss_jax.config import StageConfig, from_dict
from hsmtss_jax.data.pipeline import mixture_dataset
from hsmtss_jax.losses.separation import l1_loss
from hsmtss_jax.models.mask_separator import (
    MaskSeparatorConfig,
    of_task,
    query_vector,
    separate_masked,
)
from hsmtss_jax.models.text.encoder import TextEncoderConfig
from hsmtss_jax.models.text.tokenizer import Tokenizer
from hsmtss_jax.train.stage import Batch, Objective, Panel, Report, Shard, Stage, StepInput, Tree


@dataclasses.dataclass(frozen=True, kw_only=True)
class MaskSeparatorStageConfig(StageConfig):
    """The baseline; the text encoder is frozen."""

    name: str = "mask_separator"
    model: MaskSeparatorConfig = dataclasses.field(default_factory=MaskSeparatorConfig)
    samples: int = 80_000  # of a training window at 16 kHz; the reference's are 5 s


def sdr(estimate: jax.Array, target: jax.Array) -> jax.Array:
    """Signal-to-distortion ratio in dB, [B, L] each -> [B]; silence and perfection stay finite."""
    signal = jnp.sum(target**2, axis=-1)
    noise = jnp.sum((target - estimate) ** 2, axis=-1)
    return 10.0 * jnp.log10((signal + 1e-8) / (noise + 1e-8))


class MaskSeparatorStage(Stage):
    """One group, ``model``; aux holds the BatchNorm statistics."""

    config: MaskSeparatorStageConfig
    upstream_names: ClassVar[tuple[str, ...]] = ("text_encoder",)
    dtype: Any = jnp.float32

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
        }

    def dataset(self, split: str, shard: Shard, seed: int) -> grain.IterDataset:
        tokenizer = Tokenizer.from_bundle(self.upstream["text_encoder"])
        return mixture_dataset(
            self.data, split, shard, seed, samples=self.config.samples, tokenizer=tokenizer
        )

    def query(self, frozen: Mapping[str, Tree], batch: Batch) -> jax.Array:
        """The batch's queries [B, E]."""
        bundle = self.upstream["text_encoder"]
        encoder = from_dict(TextEncoderConfig, bundle.config["model"])
        ids, mask = batch["text_ids"], batch["text_mask"]
        return query_vector(encoder, frozen["text_encoder"], ids, mask, self.dtype)

    def init(
        self, key: jax.Array, batch: Batch, frozen: Mapping[str, Tree]
    ) -> tuple[dict[str, Tree], Tree]:
        width = jax.eval_shape(self.query, frozen, batch).shape[1]
        model = self.config.model.make(self.dtype)
        variables = model.init(key, batch["mixture"][:1], jnp.zeros((1, width)))
        return {"model": variables["params"]}, {"batch_stats": variables["batch_stats"]}

    def objectives(self) -> dict[str, Objective]:
        return {"model": self._loss}

    def _loss(self, inputs: StepInput) -> tuple[jax.Array, Report]:
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
        return jnp.mean(l1_loss(estimate, batch["target"])), Report(metrics=metrics, aux=dict(aux))

    def _estimate(
        self, params: Mapping[str, Tree], aux: Tree, frozen: Mapping[str, Tree], batch: Batch
    ) -> jax.Array:
        query = self.query(frozen, batch)
        variables = {"params": params["model"], **aux}
        task = batch["task"]
        return separate_masked(
            self.config.model, variables, batch["mixture"], query, task, self.dtype
        )

    def eval_metrics(
        self,
        params: Mapping[str, Tree],
        aux: Tree,
        frozen: Mapping[str, Tree],
        batch: Batch,
        key: jax.Array,
    ) -> dict[str, jax.Array]:
        """L1 and SDR of the estimate, and of the mixture (the score of doing nothing), [B] each."""
        del key
        estimate = self._estimate(params, aux, frozen, batch)
        mixture, target = batch["mixture"], batch["target"]
        return {
            "loss": l1_loss(estimate, target),
            "l1_mixture": l1_loss(mixture, target),
            "sdr": sdr(estimate, target),
            "sdr_mixture": sdr(mixture, target),
        }

    @functools.partial(jax.jit, static_argnums=0)
    def _first(
        self, params: Mapping[str, Tree], aux: Tree, frozen: Mapping[str, Tree], batch: Batch
    ) -> tuple[dict[str, jax.Array], dict[str, jax.Array]]:
        """(sounds [L], spectrograms in dB [F, T]) of the only example."""
        sounds = {
            "mixture": batch["mixture"],
            "estimate": self._estimate(params, aux, frozen, batch),
            "target": batch["target"],
        }
        levels = {
            name: 10.0 * jnp.log10(power(stft(sound, 512, 128)) + 1e-8)[0].T
            for name, sound in sounds.items()
        }
        return {name: sound[0] for name, sound in sounds.items()}, levels

    def panels(
        self,
        params: Mapping[str, Tree],
        aux: Tree,
        frozen: Mapping[str, Tree],
        batch: Batch,
        key: jax.Array,
    ) -> dict[str, Panel]:
        """The first mixture, what is made of it, and its target: spectrograms and sounds."""
        del key
        only = {name: value[:1] for name, value in batch.items()}
        sounds, levels = jax.device_get(self._first(params, aux, frozen, only))
        images = {
            f"{name}_spectrogram": Panel("image", np.asarray(x)) for name, x in levels.items()
        }
        return images | {
            f"{name}_audio": Panel("audio", np.asarray(x)) for name, x in sounds.items()
        }

    def release(self, params: Mapping[str, Tree], aux: Tree) -> Tree:
        return {"params": params["model"], "batch_stats": aux["batch_stats"]}
