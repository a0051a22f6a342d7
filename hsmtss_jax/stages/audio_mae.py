"""Stage: pre-train AudioMAE on unlabelled clips (HSM-TSS section III; Huang et al. 2022).

Legend: B batch, L samples.
"""

import dataclasses
import functools
from collections.abc import Mapping

import jax
import jax.numpy as jnp

from hsmtss_jax.audio.constants import CLIP_SAMPLES
from hsmtss_jax.audio.fbank import log_mel_input
from hsmtss_jax.config import StageConfig
from hsmtss_jax.losses.masked_patch import masked_patch_loss, normalise_patches
from hsmtss_jax.models.audio_mae import AudioMAEConfig, MaskedPrediction
from hsmtss_jax.nn.apply import apply
from hsmtss_jax.nn.patches import unpatchify
from hsmtss_jax.stages.base import ClipStage
from hsmtss_jax.stages.panels import image_panels
from hsmtss_jax.train.stage import Batch, Objective, Panel, StepInput, StepReport, Tree


@dataclasses.dataclass(frozen=True, kw_only=True)
class AudioMAEStageConfig(StageConfig):
    """Configure AudioMAE's masked-patch pre-training."""

    name: str = "audio_mae"
    model: AudioMAEConfig = dataclasses.field(default_factory=AudioMAEConfig)
    samples: int = CLIP_SAMPLES  # L of a window at 16 kHz
    norm_pix: bool = False  # predict per-patch normalised pixels
    roll_and_gain: bool = True  # AudioMAE's augmentation


def roll_and_gain(key: jax.Array, audio: jax.Array) -> jax.Array:
    """Augment [B, L] as AudioMAE does: rotate by a random offset, gain Beta(10, 10) + 0.5."""
    offset_key, gain_key = jax.random.split(key)
    batch, samples = audio.shape
    offset = jax.random.randint(offset_key, (batch,), 0, samples)
    gain = jax.random.beta(gain_key, 10.0, 10.0, (batch, 1)) + 0.5
    return jax.vmap(jnp.roll)(audio, offset) * gain


class AudioMAEStage(ClipStage):
    """Train one group, ``model``; the release keeps the encoder."""

    config: AudioMAEStageConfig
    config_class = AudioMAEStageConfig
    best_metric = "masked_mse"

    def init(
        self, key: jax.Array, batch: Batch, frozen: Mapping[str, Tree]
    ) -> tuple[dict[str, Tree], Tree]:
        del frozen
        module = self.config.model.make(self.dtype)
        x = log_mel_input(batch["audio"], self.config.model.fbank)
        return {"model": module.init(key, x, key)["params"]}, {}

    def objectives(self) -> dict[str, Objective]:
        return {"model": self._loss}

    def _loss(self, inputs: StepInput) -> tuple[jax.Array, StepReport]:
        augment_key, mask_key = jax.random.split(inputs.key)
        audio = inputs.batch["audio"]
        if self.config.roll_and_gain:
            audio = roll_and_gain(augment_key, audio)
        loss = jnp.mean(self._error(self._predict(inputs.params["model"], audio, mask_key)))
        return loss, StepReport(metrics={"masked_mse": loss}, aux=inputs.aux)

    def _predict(self, params: Tree, audio: jax.Array, key: jax.Array) -> MaskedPrediction:
        x = log_mel_input(audio, self.config.model.fbank)
        model = self.config.model.make(self.dtype)
        return apply(model, {"params": params}, x, key, out=MaskedPrediction)

    def _error(self, out: MaskedPrediction) -> jax.Array:
        return masked_patch_loss(out.prediction, out.target, out.mask, self.config.norm_pix)

    def eval_metrics(self, inputs: StepInput) -> dict[str, jax.Array]:
        """Compute masked_mse of the seeded mask; masked_mse_of_mean is that of predicting the mean."""
        out = self._predict(inputs.params["model"], inputs.batch["audio"], inputs.key)
        mean = jnp.broadcast_to(jnp.mean(out.target, axis=(1, 2), keepdims=True), out.target.shape)
        return {
            "masked_mse": self._error(out),
            "masked_mse_of_mean": masked_patch_loss(
                mean, out.target, out.mask, self.config.norm_pix
            ),
        }

    def panels(self, inputs: StepInput) -> dict[str, Panel]:
        """Show the first clip: its log-mel, what the encoder saw, and the filled-in prediction."""
        return image_panels(self._images(inputs.first()))

    @functools.partial(jax.jit, static_argnums=0)
    def _images(self, inputs: StepInput) -> dict[str, jax.Array]:
        """Return images [freq, time] of the only clip."""
        out = self._predict(inputs.params["model"], inputs.batch["audio"], inputs.key)
        target = normalise_patches(out.target) if self.config.norm_pix else out.target
        hidden = out.mask[:, :, None]
        images = {
            "target": target,
            "visible": target * (1.0 - hidden) + jnp.min(target) * hidden,
            "prediction": target * (1.0 - hidden) + out.prediction * hidden,
        }
        cfg = self.config.model
        return {name: unpatchify(x, cfg.patch, cfg.freq_patches)[0].T for name, x in images.items()}

    def release(self, params: Mapping[str, Tree], aux: Tree) -> Tree:
        del aux
        return {"encoder": params["model"]["encoder"]}
