"""Stage: train TF-Codec on crops of audio (HSM-TSS section III; losses of the TF-Codec reference project).

Two phases, as in that project. Reconstruction: one group, ``generator`` (the codec). Adversarial: two
groups, updated in this order, ``discriminator`` and ``generator``, on one pass of the codec: the codec's
loss sees the discriminator as just updated. It starts from the first phase's bundle, or from imported
weights, given as the upstream ``initial_codec``.

Legend: B batch, L samples, K groups, V codes.
"""

import dataclasses
import functools
from collections.abc import Mapping
from typing import ClassVar

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
import optax

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.config import StageConfig
from hsmtss_jax.conversion import from_dict
from hsmtss_jax.losses.adversarial import (
    discriminator_loss,
    feature_matching_loss,
    generator_loss,
)
from hsmtss_jax.losses.codec import (
    code_counts,
    coded_bits,
    commitment_loss,
    entropy_bits,
    log_spectral_distance,
    mel_error,
    power_compressed_error,
    rate_loss,
)
from hsmtss_jax.models.tf_codec.adapter import TFCodecAdapter, raw_kbps
from hsmtss_jax.models.tf_codec.discriminator import DiscriminatorConfig, Judgement
from hsmtss_jax.models.tf_codec.model import CodecOutput, TFCodecConfig
from hsmtss_jax.nn.apply import apply
from hsmtss_jax.stages.adversarial import Pass, loss_if, replay, run_once
from hsmtss_jax.stages.base import ClipStage
from hsmtss_jax.stages.panels import audio_panels
from hsmtss_jax.stages.sizes import as_trained
from hsmtss_jax.train.stage import Batch, Objective, Panel, StepInput, StepReport, Tree


@dataclasses.dataclass(frozen=True, kw_only=True)
class TFCodecStageConfig(StageConfig):
    """Configure codec training; the weights are the reference project's."""

    name: str = "tf_codec"
    # None: the initial codec's. codebook_scale and straight_through alone may differ from it
    model: TFCodecConfig | None = dataclasses.field(default_factory=TFCodecConfig)
    discriminator: DiscriminatorConfig = dataclasses.field(default_factory=DiscriminatorConfig)
    samples: int = 48_000  # L of a crop at 16 kHz
    adversarial_start: int | None = 0  # step of the first discriminator update; None: never
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
    usage_decay: float = 0.99  # of the running code frequencies that say what the codes would cost


@flax.struct.dataclass
class CodecPass:
    """Hold a training pass of the codec: its output to differentiate, the BatchNorm statistics after it."""

    done: Pass
    statistics: Tree


def temperature(step: jax.Array | int, config: TFCodecStageConfig) -> jax.Array:
    """Compute the Gumbel-softmax temperature after ``step`` updates."""
    decay = jnp.exp(np.log(config.tau_decay) * jnp.asarray(step, jnp.float32))
    return jnp.maximum(config.tau_start * decay, config.tau_min)


class TFCodecStage(ClipStage):
    """Train ``generator`` and, unless ``adversarial_start`` is None, before it ``discriminator``.

    aux: the codec's BatchNorm statistics, and ``code_usage`` [K, V], how often each code was drawn of
    late. The optional upstream bundle ``initial_codec`` is where the generator starts.
    """

    config: TFCodecStageConfig
    config_class = TFCodecStageConfig
    best_metric = "mel"
    init_only_names: ClassVar[tuple[str, ...]] = ("initial_codec",)

    def complete(self, config: TFCodecStageConfig) -> TFCodecStageConfig:
        start = self.upstream.get("initial_codec")
        if start is None:
            if config.model is None:
                raise ValueError(
                    "stage.model is none: give upstream.initial_codec, or the codec's sizes"
                )
            return config
        if start.stage != "tf_codec":
            raise ValueError(
                f"upstream.initial_codec is a bundle of {start.stage}, not of tf_codec"
            )
        trained = from_dict(TFCodecConfig, start.config["model"])
        free = ("codebook_scale", "straight_through")
        model = as_trained(config.model, trained, "stage.model", free)
        return dataclasses.replace(config, model=model)

    @property
    def model(self) -> TFCodecConfig:
        """Return the codec's config."""
        assert self.config.model is not None  # complete since the stage was built
        return self.config.model

    def init(
        self, key: jax.Array, batch: Batch, frozen: Mapping[str, Tree]
    ) -> tuple[dict[str, Tree], Tree]:
        codec_key, judge_key = jax.random.split(key)
        audio, model = batch["audio"][:1], self.model
        if "initial_codec" in frozen:  # a copy: the state is donated
            codec = jax.tree.map(jnp.copy, frozen["initial_codec"])
        else:
            codec = model.make(self.dtype).init(codec_key, audio)
        params = {"generator": codec["params"]}
        if self.config.adversarial_start is not None:
            judge = self.config.discriminator.make(self.dtype).init(judge_key, audio)
            params["discriminator"] = judge["params"]
        usage = jnp.full((model.groups, model.codes), 1.0 / model.codes, jnp.float32)
        return params, {"batch_stats": codec["batch_stats"], "code_usage": usage}

    def objectives(self) -> dict[str, Objective]:
        if self.config.adversarial_start is None:
            return {"generator": self._generator}
        return {"discriminator": self._discriminator, "generator": self._generator}

    def _discriminator(self, inputs: StepInput) -> tuple[jax.Array, StepReport]:
        carry, cfg = self._train_pass(inputs), self.config
        real, decoded = inputs.batch["audio"], jax.lax.stop_gradient(carry.done.out.audio)

        # The L2 term is here and not in the optimiser so that nothing moves before the start.
        def judged(params: Tree) -> tuple[jax.Array, jax.Array]:
            of_real, of_decoded = self._judge(params, real), self._judge(params, decoded)
            lsgan = discriminator_loss(of_real.scores, of_decoded.scores)
            decay = 0.5 * cfg.discriminator_l2 * optax.tree.norm(params, squared=True)
            return lsgan + decay, lsgan

        loss, lsgan = loss_if(self._active(inputs), judged, inputs.params["discriminator"])
        return loss, StepReport(metrics={"lsgan": lsgan}, aux=inputs.aux, carry=carry)

    def _generator(self, inputs: StepInput) -> tuple[jax.Array, StepReport]:
        real, cfg = inputs.batch["audio"], self.config
        made = self._train_pass(inputs) if inputs.carry is None else inputs.carry
        out = replay(inputs.params["generator"], made.done)
        metrics = self._terms(out, real)
        adversarial = jnp.zeros(())
        if cfg.adversarial_start is not None:
            adversarial, judged = self._adversarial_terms(inputs, real, out.audio)
            metrics |= judged
        loss = (
            cfg.spectral_weight * metrics["spectral"]
            + cfg.mel_weight * metrics["mel"]
            + cfg.entropy_weight * metrics["rate"]
            + cfg.commitment_weight * metrics["commitment"]
            + adversarial
        )
        drawn = code_frequencies(out)
        usage = cfg.usage_decay * inputs.aux["code_usage"] + (1.0 - cfg.usage_decay) * drawn
        aux = {**made.statistics, "code_usage": usage}
        metrics |= code_metrics(out, drawn, self.model)
        return loss, StepReport(metrics=metrics, aux=aux)

    def _train_pass(self, inputs: StepInput) -> CodecPass:
        """Encode and decode the batch in training mode, once a step."""
        codec = self.model.make(self.dtype)

        def forward(params: Tree) -> tuple[CodecOutput, Tree]:
            return codec.apply(
                {"params": params, "batch_stats": inputs.aux["batch_stats"]},
                inputs.batch["audio"],
                key=inputs.key,
                tau=temperature(inputs.step, self.config),
                train=True,
                mutable=["batch_stats"],
            )

        params = jax.lax.stop_gradient(inputs.params["generator"])  # ``replay`` leads to them
        return CodecPass(*run_once(forward, params))

    def _terms(self, out: CodecOutput, real: jax.Array) -> dict[str, jax.Array]:
        """Compute the losses without a discriminator, unweighted scalars."""
        cfg = self.config
        return {
            "spectral": jnp.mean(power_compressed_error(out.audio, real)),
            "mel": jnp.mean(mel_error(out.audio, real, log_weight=cfg.log_mel_weight)),
            "rate": rate_loss(out.quantized.usage, cfg.entropy_target),
            "commitment": commitment_loss(out.latent, out.quantized.values),
        }

    def _adversarial_terms(
        self, inputs: StepInput, real: jax.Array, decoded: jax.Array
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """Compute weighted sum and values of LSGAN and feature matching, not before the start."""
        cfg = self.config
        params = inputs.params["discriminator"]

        def judged(decoded: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
            of_real, of_decoded = self._judge(params, real), self._judge(params, decoded)
            adversarial = generator_loss(of_decoded.scores)
            matching = feature_matching_loss(of_real.features, of_decoded.features)
            weighted = cfg.adversarial_weight * adversarial + cfg.feature_weight * matching
            return weighted, (adversarial, matching)

        loss, (adversarial, matching) = loss_if(self._active(inputs), judged, decoded)
        return loss, {"adversarial": adversarial, "feature_matching": matching}

    def _active(self, inputs: StepInput) -> jax.Array:
        assert self.config.adversarial_start is not None  # else there is no discriminator
        return inputs.step >= self.config.adversarial_start

    def _judge(self, params: Tree, audio: jax.Array) -> Judgement:
        model = self.config.discriminator.make(self.dtype)
        return apply(model, {"params": params}, audio, out=Judgement)

    def _decode(self, params: Mapping[str, Tree], aux: Tree, audio: jax.Array) -> CodecOutput:
        """Encode and decode with the nearest codes and running statistics."""
        model = self.model.make(self.dtype)
        return apply(model, self.release(params, aux), audio, out=CodecOutput)

    @functools.partial(jax.jit, static_argnums=0)
    def _decoded(self, params: Mapping[str, Tree], aux: Tree, audio: jax.Array) -> jax.Array:
        return self._decode(params, aux, audio).audio

    def eval_metrics(self, inputs: StepInput) -> dict[str, jax.Array]:
        """Compute distances of the decoded clip and its bit rates [kbit/s], each [B].

        Padding does not count in LSD and rates. Entropy-coded, codes cost what the running frequencies of
        training say.
        """
        audio, length, model = inputs.batch["audio"], inputs.batch["length"], self.model
        out = self._decode(inputs.params, inputs.aux, audio)
        frames = TFCodecAdapter(model).token_frames(length)
        mask = jnp.arange(out.quantized.tokens.shape[1])[None, :] < frames[:, None]
        bits = coded_bits(out.quantized.tokens, inputs.aux["code_usage"], mask)
        raw = raw_kbps(model.groups, model.codes, frame_rate(model))
        return {
            "spectral": power_compressed_error(out.audio, audio),
            "mel": mel_error(out.audio, audio),
            "lsd": log_spectral_distance(out.audio, audio, length),
            "raw_kbps": jnp.full(bits.shape, raw),
            "entropy_kbps": bits * frame_rate(model) / 1000.0,
        }

    def panels(self, inputs: StepInput) -> dict[str, Panel]:
        """Show the first clip and what is decoded from its tokens: spectrograms and sounds."""
        audio = inputs.first().batch["audio"]
        decoded = self._decoded(inputs.params, inputs.aux, audio)
        return audio_panels({"original": audio, "decoded": decoded})

    def release(self, params: Mapping[str, Tree], aux: Tree) -> Tree:
        return {"params": params["generator"], "batch_stats": aux["batch_stats"]}


def frame_rate(model: TFCodecConfig) -> float:
    """Return token frames a second [Hz]."""
    return SAMPLE_RATE / (model.hop * model.frames_per_token)


def code_frequencies(out: CodecOutput) -> jax.Array:
    """Count the share of each code among those drawn in a batch, [K, V]."""
    counts = code_counts(out.quantized.tokens, out.quantized.usage.shape[-1])
    return counts / jnp.sum(counts, axis=-1, keepdims=True)


def code_metrics(out: CodecOutput, drawn: jax.Array, model: TFCodecConfig) -> dict[str, jax.Array]:
    """Compute bits a group, mean over groups, and the bit rates they make, raw and entropy-coded.

    soft_bits: entropy of the assignment probabilities, which the rate loss holds; code_bits: of the codes
    drawn [K, V].
    """
    code_bits, rate = jnp.mean(entropy_bits(drawn)), frame_rate(model)
    return {
        "soft_bits": jnp.mean(entropy_bits(out.quantized.usage)),
        "code_bits": code_bits,
        "raw_kbps": jnp.asarray(raw_kbps(model.groups, model.codes, rate), jnp.float32),
        "entropy_kbps": code_bits * model.groups * rate / 1000.0,
        "latent_rms": jnp.sqrt(jnp.mean(out.latent**2)),
    }
