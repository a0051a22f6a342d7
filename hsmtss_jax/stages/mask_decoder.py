"""Stage: train the mask decoder on mixtures, steered by what the frozen separators predict.

The separators' true features would be cleaner than what the decoder sees when it is used, so it is trained
on S_hat and G_hat; ``truth`` gives it the target's own, the ceiling of what better separators could bring.

Legend: B batch, L samples, P patches, Ca width of S, Cg of G.
"""

import dataclasses
import functools
from collections.abc import Mapping
from typing import ClassVar

import jax
import jax.numpy as jnp

from hsmtss_jax.audio.constants import CLIP_SAMPLES
from hsmtss_jax.audio.working_level import working_gain
from hsmtss_jax.bundles.networks import read_separators
from hsmtss_jax.config import StageConfig
from hsmtss_jax.data.pipeline import holds_features
from hsmtss_jax.losses.masking import error_level, presence_error, spectral_error
from hsmtss_jax.models.mask_decoder import (
    MaskDecoderConfig,
    MaskOutput,
    Steering,
    apply_gains,
    decode_mask,
    spectrum,
)
from hsmtss_jax.models.q_audio import with_first
from hsmtss_jax.models.semantics import Semantics
from hsmtss_jax.models.separators import TextCondition, TwoStage
from hsmtss_jax.stages.base import MixtureStage
from hsmtss_jax.stages.panels import audio_panels
from hsmtss_jax.stages.sizes import inherit, with_sizes
from hsmtss_jax.train.stage import Batch, Objective, Panel, StepInput, StepReport, Tree


@dataclasses.dataclass(frozen=True, kw_only=True)
class MaskDecoderStageConfig(StageConfig):
    """Configure the mask decoder alone; everything before it is frozen."""

    name: str = "mask_decoder"
    # audio_width, time_patches, freq_patches, global_width: None is the upstream's
    model: MaskDecoderConfig = dataclasses.field(
        default_factory=lambda: inherit(MaskDecoderConfig())
    )
    samples: int = CLIP_SAMPLES  # of a window at 16 kHz
    truth: bool = False  # steer by the target's own S and G: a ceiling, not a system
    error_weight: float = 1.0  # of the level of the error, over target and rest
    spectral_weight: float = 1.0  # of the compressed spectra of target and rest
    presence_weight: float = 0.1
    absent_weight: float = 0.1  # of the sound of examples whose described sound is not there


class MaskDecoderStage(MixtureStage):
    """Train one group, ``model``; the release is its parameters."""

    config: MaskDecoderStageConfig
    config_class = MaskDecoderStageConfig
    upstream_names: ClassVar[tuple[str, ...]] = (*MixtureStage.upstream_names, "joint_separator")

    def complete(self, config: MaskDecoderStageConfig) -> MaskDecoderStageConfig:
        sizes = {**self.patch_sizes(), "global_width": self.encoders.q_audio.global_width}
        return with_sizes(config, sizes)

    @functools.cached_property
    def separators(self) -> TwoStage:
        """Build the frozen separators."""
        separators = read_separators(self.upstream, self.dtype)
        assert isinstance(separators, TwoStage)  # of a joint separator
        return separators

    def batch_spec(self) -> dict[str, jax.ShapeDtypeStruct]:
        if holds_features(self.data):
            raise ValueError(
                f"{self.data.root} holds features, the mask decoder reads sound: give data.root a set of "
                "clips or of mixtures"
            )
        return super().batch_spec()

    def init(
        self, key: jax.Array, batch: Batch, frozen: Mapping[str, Tree]
    ) -> tuple[dict[str, Tree], Tree]:
        shapes = jax.eval_shape(self.steering, frozen, batch)
        blank = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
        model = self.config.model
        variables = model.make(self.dtype).init(key, spectrum(model, batch["mixture"]), blank)
        return {"model": variables["params"]}, {}

    def objectives(self) -> dict[str, Objective]:
        return {"model": self._loss}

    def steering(self, frozen: Mapping[str, Tree], batch: Batch) -> Steering:
        """Run the frozen chain on mixtures at working level."""
        encoders = self.encoders
        mixture = encoders.encode(frozen, batch["mixture"])
        if "text_features" in batch:
            text = batch["text_features"], with_first(batch["text_mask"])
        else:
            text = encoders.text(frozen, batch["text_ids"], batch["text_mask"])
        condition = TextCondition(*text, *encoders.task(frozen, batch["task"]))
        target = self._target(frozen, batch, mixture, condition)
        steering = Steering(
            s_mix=mixture.s,
            s_hat=target.s,
            g_mix=mixture.g,
            g_hat=target.g,
            text=condition.text[:, 0],
            task=batch["task"],
        )
        return jax.tree.map(jax.lax.stop_gradient, steering)

    def _target(
        self, frozen: Mapping[str, Tree], batch: Batch, mixture: Semantics, condition: TextCondition
    ) -> Semantics:
        """Return S and G of the target: predicted, or its own."""
        if self.config.truth:
            return self.encoders.encode(frozen, batch["target"])
        found = self.separators(frozen[self.separators.role], mixture, condition)
        return Semantics(s=found.s_hat, g=found.g_hat)

    def _mask(self, inputs: StepInput, batch: Batch) -> tuple[MaskOutput, jax.Array]:
        """Predict the mask of a batch at working level; return it with the sound that it leaves [B, L]."""
        config, mixture = self.config.model, batch["mixture"]
        steering = self.steering(inputs.frozen, batch)
        out = decode_mask(config, inputs.params["model"], mixture, steering, self.dtype)
        return out, apply_gains(config, mixture, out.gains)

    def _errors(self, out: MaskOutput, estimate: jax.Array, batch: Batch) -> dict[str, jax.Array]:
        """Compute the loss of each example and its parts, [B] each."""
        cfg = self.config
        mixture, target = batch["mixture"], batch["target"]
        level = error_level(estimate, target, mixture)
        of_target = spectral_error(estimate, target, mixture)
        of_rest = spectral_error(mixture - estimate, mixture - target, mixture)
        spectral = (of_target + of_rest) / 2
        presence = presence_error(out.presence, batch["present"])
        weight = jnp.where(batch["present"], 1.0, cfg.absent_weight)
        sound = cfg.error_weight * level + cfg.spectral_weight * spectral
        return {
            "loss": weight * sound + cfg.presence_weight * presence,
            "error": level,
            "spectral": spectral,
            "presence": presence,
        }

    def _loss(self, inputs: StepInput) -> tuple[jax.Array, StepReport]:
        batch = at_working_level(inputs.batch)
        errors = self._errors(*self._mask(inputs, batch), batch)
        metrics = {name: jnp.mean(value) for name, value in errors.items() if name != "loss"}
        return jnp.mean(errors["loss"]), StepReport(metrics=metrics, aux=inputs.aux)

    def eval_metrics(self, inputs: StepInput) -> dict[str, jax.Array]:
        """Compute the loss, its parts, and by how much the error is below the mixture's own [dB], [B] each.

        This gain is the SDRi, but bounded, so that also targets that are silent, or the mixture, count.
        """
        batch = at_working_level(inputs.batch)
        errors = self._errors(*self._mask(inputs, batch), batch)
        untouched = error_level(batch["mixture"], batch["target"], batch["mixture"])
        return {**errors, "gain": 10.0 * (untouched - errors["error"])}

    @functools.partial(jax.jit, static_argnums=0)
    def _estimate(self, inputs: StepInput) -> tuple[Batch, jax.Array]:
        batch = at_working_level(inputs.batch)
        return batch, self._mask(inputs, batch)[1]

    def panels(self, inputs: StepInput) -> dict[str, Panel]:
        """Show the first mixture, what the mask leaves of it, and its target: spectrograms and sounds."""
        batch, estimate = self._estimate(inputs.first())
        sounds = {"mixture": batch["mixture"], "estimate": estimate, "target": batch["target"]}
        return audio_panels(sounds)

    def release(self, params: Mapping[str, Tree], aux: Tree) -> Tree:
        del aux
        return params["model"]


def at_working_level(batch: Batch) -> dict[str, jax.Array]:
    """Return the batch with mixture and target at the level that networks hear a recording at."""
    gain = working_gain(batch["mixture"])[:, None]
    return {**batch, "mixture": gain * batch["mixture"], "target": gain * batch["target"]}
