"""Stage: train TF-Codec on crops of audio (HSM-TSS section III; losses of the TF-Codec reference project).

Two phases, as in that project. Reconstruction: one group, ``generator`` (the codec). Adversarial: two
groups, updated in this order, ``generator`` and ``discriminator``; it starts from the first phase's
bundle, or from imported weights, given as the upstream ``initial_codec``.

Legend: B batch, L samples, K groups, V codes.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
import optax

from hsmtss_jax.audio.stft import power, stft
from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.config import DataConfig, StageConfig, from_dict
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
from hsmtss_jax.stages.base import ClipStage
from hsmtss_jax.train.stage import Batch, Objective, Panel, Report, StepInput, Tree


@dataclasses.dataclass(frozen=True, kw_only=True)
class TFCodecStageConfig(StageConfig):
    """Codec training; the weights are the reference project's."""

    name: str = "tf_codec"
    model: TFCodecConfig = dataclasses.field(default_factory=TFCodecConfig)
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
    """Group ``generator`` and, unless ``adversarial_start`` is None, ``discriminator``.

    aux: the codec's BatchNorm statistics, and ``code_usage`` [K, V], how often each code was drawn of
    late. The optional upstream bundle ``initial_codec`` is where the generator starts.
    """

    config: TFCodecStageConfig
    upstream_names: ClassVar[tuple[str, ...]] = ()
    init_only_names: ClassVar[tuple[str, ...]] = ("initial_codec",)
    dtype: Any = jnp.float32

    def __init__(
        self, config: StageConfig, data: DataConfig, upstream: Mapping[str, Bundle] | None = None
    ) -> None:
        super().__init__(config, data, upstream)
        if "initial_codec" in self.upstream:
            _check_same_codec(self.config.model, self.upstream["initial_codec"])

    def init(
        self, key: jax.Array, batch: Batch, frozen: Mapping[str, Tree]
    ) -> tuple[dict[str, Tree], Tree]:
        codec_key, judge_key = jax.random.split(key)
        audio, model = batch["audio"][:1], self.config.model
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
        return {"generator": self._generator, "discriminator": self._discriminator}

    def _generator(self, inputs: StepInput) -> tuple[jax.Array, Report]:
        real = inputs.batch["audio"]
        out, moved = self._train_pass(inputs, real)
        cfg = self.config
        metrics = self._terms(out, real)
        adversarial = jnp.zeros(())
        if cfg.adversarial_start is not None:
            pair = Pair(real=real, fake=out.audio)
            adversarial, judged = self._adversarial_terms(inputs, pair)
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
        aux = {**moved, "code_usage": usage}
        metrics |= code_metrics(out, drawn, cfg.model)
        carry = Pair(real=real, fake=jax.lax.stop_gradient(out.audio))
        return loss, Report(metrics=metrics, aux=aux, carry=carry)

    def _train_pass(self, inputs: StepInput, audio: jax.Array) -> tuple[CodecOutput, Tree]:
        statistics = inputs.aux["batch_stats"]
        variables = {"params": inputs.params["generator"], "batch_stats": statistics}
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
        active = self._active(inputs)

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

        loss, lsgan = loss_if(self._active(inputs), judged, inputs.params["discriminator"])
        return loss, Report(metrics={"lsgan": lsgan}, aux=inputs.aux)

    def _active(self, inputs: StepInput) -> jax.Array:
        assert self.config.adversarial_start is not None  # else there is no discriminator
        return inputs.step >= self.config.adversarial_start

    def _judge(self, params: Tree, audio: jax.Array) -> Judgement:
        judgement = self.config.discriminator.make(self.dtype).apply({"params": params}, audio)
        assert isinstance(judgement, Judgement)
        return judgement

    def _decode(self, params: Mapping[str, Tree], aux: Tree, audio: jax.Array) -> CodecOutput:
        """Nearest codes, running statistics."""
        out = self.config.model.make(self.dtype).apply(self.release(params, aux), audio)
        assert isinstance(out, CodecOutput)
        return out

    @functools.partial(jax.jit, static_argnums=0)
    def _decoded(self, params: Mapping[str, Tree], aux: Tree, audio: jax.Array) -> jax.Array:
        return self._decode(params, aux, audio).audio

    def eval_metrics(
        self,
        params: Mapping[str, Tree],
        aux: Tree,
        frozen: Mapping[str, Tree],
        batch: Batch,
        key: jax.Array,
    ) -> dict[str, jax.Array]:
        """Distances of the decoded clip and its bit rates, each [B]; padding is not counted in LSD and
        rates. Entropy-coded, codes cost what the running frequencies of training say."""
        del frozen, key
        audio, model = batch["audio"], self.config.model
        out = self._decode(params, aux, audio)
        frames = TFCodecAdapter(model).token_frames(batch["length"])
        mask = jnp.arange(out.quantized.tokens.shape[1])[None, :] < frames[:, None]
        bits = coded_bits(out.quantized.tokens, aux["code_usage"], mask)
        raw = raw_kbps(model.groups, model.codes, frame_rate(model))
        return {
            "spectral": power_compressed_error(out.audio, audio),
            "mel": mel_error(out.audio, audio),
            "lsd": log_spectral_distance(out.audio, audio, batch["length"]),
            "raw_kbps": jnp.full(bits.shape, raw),
            "entropy_kbps": bits * frame_rate(model) / 1000.0,
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
        signals = {"original": audio, "decoded": self._decoded(params, aux, audio)}
        panels = {}
        for name, signal in signals.items():
            level = 10.0 * jnp.log10(power(stft(signal, 512, 128)) + 1e-8)
            panels[f"{name}_spectrogram"] = Panel("image", np.asarray(level[0].T))
            panels[f"{name}_audio"] = Panel("audio", np.asarray(signal[0]))
        return panels

    def release(self, params: Mapping[str, Tree], aux: Tree) -> Tree:
        return {"params": params["generator"], "batch_stats": aux["batch_stats"]}


def frame_rate(model: TFCodecConfig) -> float:
    """Token frames a second."""
    return 16_000 / (model.hop * model.frames_per_token)


def code_frequencies(out: CodecOutput) -> jax.Array:
    """Share of each code among those drawn in a batch, [K, V]."""
    counts = code_counts(out.quantized.tokens, out.quantized.usage.shape[-1])
    return counts / jnp.sum(counts, axis=-1, keepdims=True)


def code_metrics(out: CodecOutput, drawn: jax.Array, model: TFCodecConfig) -> dict[str, jax.Array]:
    """Bits a group, mean over groups: entropy of the assignment probabilities (what the rate loss holds)
    and of the codes drawn [K, V]; the bit rates as codes are, and entropy-coded."""
    code_bits, rate = jnp.mean(entropy_bits(drawn)), frame_rate(model)
    return {
        "soft_bits": jnp.mean(entropy_bits(out.quantized.usage)),
        "code_bits": code_bits,
        "raw_kbps": jnp.asarray(raw_kbps(model.groups, model.codes, rate), jnp.float32),
        "entropy_kbps": code_bits * model.groups * rate / 1000.0,
        "latent_rms": jnp.sqrt(jnp.mean(out.latent**2)),
    }


def _check_same_codec(model: TFCodecConfig, start: Bundle) -> None:
    """Raises ValueError when training cannot start from the bundle."""
    if start.stage != "tf_codec":
        raise ValueError(f"upstream.initial_codec is a bundle of {start.stage}, not of tf_codec")
    there = from_dict(TFCodecConfig, start.config["model"])
    for field in dataclasses.fields(TFCodecConfig):
        ours, theirs = getattr(model, field.name), getattr(there, field.name)
        if ours != theirs and field.name not in ("codebook_scale", "straight_through"):
            raise ValueError(
                f"stage.model.{field.name}={ours}, but the initial codec has {theirs}: set it to that"
            )
