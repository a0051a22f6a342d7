"""Stage: train TF-Codec on crops of audio (HSM-TSS section III; losses of the TF-Codec reference project).

Two groups, updated in this order: ``generator`` (the codec) and ``discriminator``.

Legend: B batch, L samples, K groups, V codes.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
import optax

from hsmtss_jax.audio.stft import power, stft
from hsmtss_jax.config import StageConfig
from hsmtss_jax.losses.adversarial import (
    discriminator_loss,
    feature_matching_loss,
    generator_loss,
)
from hsmtss_jax.losses.codec import (
    commitment_loss,
    entropy_bits,
    log_spectral_distance,
    mel_error,
    power_compressed_error,
    rate_loss,
)
from hsmtss_jax.models.discriminator import DiscriminatorConfig, Judgement
from hsmtss_jax.models.tf_codec import CodecOutput, TFCodecConfig
from hsmtss_jax.stages.clips import ClipStage
from hsmtss_jax.train.stage import Batch, Objective, Panel, Report, StepInput, Tree


@dataclasses.dataclass(frozen=True, kw_only=True)
class TFCodecStageConfig(StageConfig):
    """Codec training; the weights are the reference project's."""

    name: str = "tf_codec"
    model: TFCodecConfig = dataclasses.field(default_factory=TFCodecConfig)
    discriminator: DiscriminatorConfig = dataclasses.field(default_factory=DiscriminatorConfig)
    samples: int = 48_000  # L of a crop at 16 kHz
    adversarial_start: int = 0  # step of the first discriminator update
    spectral_weight: float = 1.0
    mel_weight: float = 0.25
    log_mel_weight: float = 0.0  # inside the mel term; the reference project has 0.05, off
    entropy_weight: float = 0.04
    entropy_target: float = 7.5  # bits a group: 16 groups x 7.5 bits x 50 Hz = 6 kbps
    commitment_weight: float = 0.0  # the reference project computes this term and logs it
    adversarial_weight: float = 0.001
    feature_weight: float = 0.1
    discriminator_l2: float = 1e-6
    tau_start: float = 2.0  # Gumbel-softmax temperature max(start * decay^step, min)
    tau_min: float = 0.5
    tau_decay: float = 0.9999995


@flax.struct.dataclass
class Pair:
    """What the discriminator compares: real and decoded crops, each [B, L]."""

    real: jax.Array
    fake: jax.Array


def temperature(step: jax.Array | int, config: TFCodecStageConfig) -> jax.Array:
    """Gumbel-softmax temperature after ``step`` updates."""
    decay = jnp.exp(np.log(config.tau_decay) * jnp.asarray(step, jnp.float32))
    return jnp.maximum(config.tau_start * decay, config.tau_min)


def loss_if(
    active: jax.Array, loss: Callable[[Tree], tuple[jax.Array, Tree]], x: Tree
) -> tuple[jax.Array, Tree]:
    """``loss(x)`` -> (scalar, values), or zeros and no work where ``active`` is False.

    Differentiable in x, once. The gradient is taken inside the branch: a differentiated ``cond`` would
    write all of the loss's activations, as zeros, when it is off.
    """
    fixed = jax.lax.stop_gradient(x)
    work = jax.value_and_grad(loss, has_aux=True)
    shapes = jax.eval_shape(work, fixed)
    nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
    (value, extra), gradient = jax.lax.cond(active, work, lambda _: nothing, fixed)
    moved = jax.tree.map(lambda g, a, b: jnp.sum(g * (a - b)), gradient, x, fixed)
    return value + sum(jax.tree.leaves(moved)), extra


class TFCodecStage(ClipStage):
    """Groups ``generator`` and ``discriminator``; aux holds the codec's BatchNorm statistics."""

    config: TFCodecStageConfig
    upstream_names: ClassVar[tuple[str, ...]] = ()
    dtype: Any = jnp.float32

    def init(
        self, key: jax.Array, batch: Batch, frozen: Mapping[str, Tree]
    ) -> tuple[dict[str, Tree], Tree]:
        del frozen
        codec_key, judge_key = jax.random.split(key)
        audio = batch["audio"][:1]
        codec = self.config.model.make(self.dtype).init(codec_key, audio)
        judge = self.config.discriminator.make(self.dtype).init(judge_key, audio)
        params = {"generator": codec["params"], "discriminator": judge["params"]}
        return params, {"batch_stats": codec["batch_stats"]}

    def objectives(self) -> dict[str, Objective]:
        return {"generator": self._generator, "discriminator": self._discriminator}

    def _generator(self, inputs: StepInput) -> tuple[jax.Array, Report]:
        real = inputs.batch["audio"]
        out, aux = self._train_pass(inputs, real)
        adversarial, metrics = self._adversarial_terms(inputs, Pair(real=real, fake=out.audio))
        metrics |= self._terms(out, real)
        cfg = self.config
        loss = (
            cfg.spectral_weight * metrics["spectral"]
            + cfg.mel_weight * metrics["mel"]
            + cfg.entropy_weight * metrics["rate"]
            + cfg.commitment_weight * metrics["commitment"]
            + adversarial
        )
        carry = Pair(real=real, fake=jax.lax.stop_gradient(out.audio))
        return loss, Report(metrics=metrics | code_metrics(out), aux=aux, carry=carry)

    def _train_pass(self, inputs: StepInput, audio: jax.Array) -> tuple[CodecOutput, Tree]:
        variables = {"params": inputs.params["generator"], **inputs.aux}
        return self.config.model.make(self.dtype).apply(
            variables,
            audio,
            key=inputs.key,
            tau=temperature(inputs.step, self.config),
            train=True,
            mutable=["batch_stats"],
        )

    def _terms(self, out: CodecOutput, real: jax.Array) -> dict[str, jax.Array]:
        """The losses without a discriminator, unweighted scalars."""
        cfg = self.config
        return {
            "spectral": jnp.mean(power_compressed_error(out.audio, real)),
            "mel": jnp.mean(mel_error(out.audio, real, log_weight=cfg.log_mel_weight)),
            "rate": rate_loss(out.quantized.usage, cfg.entropy_target),
            "commitment": commitment_loss(out.latent, out.quantized.values),
        }

    def _adversarial_terms(
        self, inputs: StepInput, pair: Pair
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """Weighted sum and values of LSGAN and feature matching, not computed before the start."""
        cfg = self.config
        params = inputs.params["discriminator"]
        active = inputs.step >= cfg.adversarial_start

        def judged(fake: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
            real = self._judge(params, pair.real)
            other = self._judge(params, fake)
            adversarial = generator_loss(other.scores)
            matching = feature_matching_loss(real.features, other.features)
            weighted = cfg.adversarial_weight * adversarial + cfg.feature_weight * matching
            return weighted, (adversarial, matching)

        loss, (adversarial, matching) = loss_if(active, judged, pair.fake)
        return loss, {"adversarial": adversarial, "feature_matching": matching}

    def _discriminator(self, inputs: StepInput) -> tuple[jax.Array, Report]:
        pair: Pair = inputs.carry
        cfg = self.config

        # The L2 term is here and not in the optimiser so that nothing moves before the start.
        def judged(params: Tree) -> tuple[jax.Array, jax.Array]:
            real = self._judge(params, pair.real)
            fake = self._judge(params, pair.fake)
            lsgan = discriminator_loss(real.scores, fake.scores)
            decay = 0.5 * cfg.discriminator_l2 * optax.tree.norm(params, squared=True)
            return lsgan + decay, lsgan

        active = inputs.step >= cfg.adversarial_start
        loss, lsgan = loss_if(active, judged, inputs.params["discriminator"])
        return loss, Report(metrics={"lsgan": lsgan}, aux=inputs.aux)

    def _judge(self, params: Tree, audio: jax.Array) -> Judgement:
        judgement = self.config.discriminator.make(self.dtype).apply({"params": params}, audio)
        assert isinstance(judgement, Judgement)
        return judgement

    def _decode(self, params: Mapping[str, Tree], aux: Tree, audio: jax.Array) -> jax.Array:
        variables = {"params": params["generator"], **aux}
        out = self.config.model.make(self.dtype).apply(variables, audio)
        assert isinstance(out, CodecOutput)
        return out.audio

    def eval_metrics(
        self,
        params: Mapping[str, Tree],
        aux: Tree,
        frozen: Mapping[str, Tree],
        batch: Batch,
        key: jax.Array,
    ) -> dict[str, jax.Array]:
        """Distances of the decoded clip, each [B]: nearest codes, running statistics."""
        del frozen, key
        audio = batch["audio"]
        decoded = self._decode(params, aux, audio)
        return {
            "spectral": power_compressed_error(decoded, audio),
            "mel": mel_error(decoded, audio),
            "lsd": log_spectral_distance(decoded, audio, batch["length"]),
        }

    def panels(
        self,
        params: Mapping[str, Tree],
        aux: Tree,
        frozen: Mapping[str, Tree],
        batch: Batch,
        key: jax.Array,
    ) -> dict[str, Panel]:
        """The first clip and what is decoded from its tokens: spectrogram in dB, and sound."""
        del frozen, key
        audio = batch["audio"][:1]
        signals = {"original": audio, "decoded": self._decode(params, aux, audio)}
        panels = {}
        for name, signal in signals.items():
            level = 10.0 * jnp.log10(power(stft(signal, 512, 128)) + 1e-8)
            panels[f"{name}_spectrogram"] = Panel("image", np.asarray(level[0].T))
            panels[f"{name}_audio"] = Panel("audio", np.asarray(signal[0]))
        return panels

    def release(self, params: Mapping[str, Tree], aux: Tree) -> Tree:
        return {"params": params["generator"], "batch_stats": aux["batch_stats"]}


def code_metrics(out: CodecOutput) -> dict[str, jax.Array]:
    """Mean over groups, in bits: entropy of the assignment probabilities and of the codes drawn."""
    codes = out.quantized.usage.shape[-1]
    drawn = jnp.mean(jax.nn.one_hot(out.quantized.tokens, codes), axis=(0, 1))
    return {
        "soft_bits": jnp.mean(entropy_bits(out.quantized.usage)),
        "code_bits": jnp.mean(entropy_bits(drawn)),
        "latent_rms": jnp.sqrt(jnp.mean(out.latent**2)),
    }
