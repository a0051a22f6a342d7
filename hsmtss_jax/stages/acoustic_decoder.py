"""Stage: train the acoustic decoder on clean clips (HSM-TSS section III-E); S and tokens are made on the fly.

Legend: B batch, L samples, P patches, Ca width of S, T token frames, K groups, V codes.
"""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, ClassVar

import flax.struct
import jax
import jax.numpy as jnp

from hsmtss_jax.audio.constants import CLIP_SAMPLES
from hsmtss_jax.bundles.networks import read_codec
from hsmtss_jax.config import StageConfig
from hsmtss_jax.losses.tokens import TokenScores, targets_with_end, token_cross_entropy
from hsmtss_jax.models.acoustic_decoder.model import AcousticDecoderConfig, patch_mask
from hsmtss_jax.models.acoustic_decoder.sampler import sample
from hsmtss_jax.models.tf_codec.adapter import NeuralCodec
from hsmtss_jax.nn.apply import apply
from hsmtss_jax.sampling import Policy
from hsmtss_jax.stages.base import ClipStage
from hsmtss_jax.stages.panels import audio_panels
from hsmtss_jax.stages.sizes import inherit, with_sizes
from hsmtss_jax.train.stage import Batch, Objective, Panel, StepInput, StepReport, Tree


@dataclasses.dataclass(frozen=True, kw_only=True)
class AcousticDecoderStageConfig(StageConfig):
    """Configure teacher-forced training of the acoustic decoder."""

    name: str = "acoustic_decoder"
    # codes, groups, width and patches of S: None is the codec's and AudioMAE's
    model: AcousticDecoderConfig = dataclasses.field(
        default_factory=lambda: inherit(AcousticDecoderConfig())
    )
    samples: int = CLIP_SAMPLES  # L of a window at 16 kHz
    # True: frames behind a clip's end have no loss and the patches there are not looked at.
    # False: the zeros there are learnt as silence.
    mask_padding: bool = True
    # Noise added to S in training, up to this many standard deviations: at inference S is predicted
    prefix_noise: float = 0.0


@flax.struct.dataclass
class DecoderInput:
    """Hold s [B, P, Ca]; tokens int32 [B, T, K]; frames int32 [B], those with a loss.

    prefix_mask: bool [B, P], False for patches behind a clip's end.
    """

    s: jax.Array
    tokens: jax.Array
    frames: jax.Array
    prefix_mask: jax.Array


class AcousticDecoderStage(ClipStage):
    """Train one group, ``model``; all of it is released."""

    config: AcousticDecoderStageConfig
    config_class = AcousticDecoderStageConfig
    best_metric = "cross_entropy"
    upstream_names: ClassVar[tuple[str, ...]] = ("audio_mae", "tf_codec")

    @functools.cached_property
    def codec(self) -> NeuralCodec:
        """Load the frozen codec; float32 whatever the compute dtype is."""
        return read_codec(self.upstream["tf_codec"])

    def complete(self, config: AcousticDecoderStageConfig) -> AcousticDecoderStageConfig:
        codec = {"groups": self.codec.groups, "codes": self.codec.codes}
        return with_sizes(config, codec | self.patch_sizes())

    def read(self, frozen: Mapping[str, Tree], batch: Batch) -> DecoderInput:
        """Compute the batch's frozen features."""
        tokens = self.codec.encode(frozen["tf_codec"], batch["audio"])
        frames = jnp.full_like(batch["length"], tokens.shape[1])
        prefix_mask = jnp.ones((len(frames), self.config.model.patches), bool)
        if self.config.mask_padding:
            frames = self.codec.token_frames(batch["length"])
            prefix_mask = patch_mask(self.config.model, frames)
        return DecoderInput(
            s=self.encoders.local(frozen, batch["audio"]),
            tokens=jax.lax.stop_gradient(tokens),
            frames=frames,
            prefix_mask=prefix_mask,
        )

    def init(
        self, key: jax.Array, batch: Batch, frozen: Mapping[str, Tree]
    ) -> tuple[dict[str, Tree], Tree]:
        del batch, frozen
        cfg = self.config.model
        s = jnp.zeros((1, cfg.patches, cfg.audio_width), jnp.float32)
        tokens = jnp.zeros((1, 1, cfg.groups), jnp.int32)
        return {"model": cfg.make(self.dtype).init(key, s, tokens)["params"]}, {}

    def objectives(self) -> dict[str, Objective]:
        return {"model": self._loss}

    def _loss(self, inputs: StepInput) -> tuple[jax.Array, StepReport]:
        noise_key, dropout_key = jax.random.split(inputs.key)
        read = self.read(inputs.frozen, inputs.batch)
        if self.config.prefix_noise:
            noisy = with_noise(noise_key, read.s, self.config.prefix_noise)
            read = dataclasses.replace(read, s=noisy)
        model = self.config.model
        scores = score(model, inputs.params["model"], read, self.dtype, dropout_key)
        metrics = {"cross_entropy": scores.loss, "accuracy": jnp.mean(scores.accuracy)}
        return scores.loss, StepReport(metrics=metrics, aux=inputs.aux)

    def eval_metrics(self, inputs: StepInput) -> dict[str, jax.Array]:
        """Compute cross-entropy in nats and top-1 accuracy of each clip, given its true past: [B] each."""
        read = self.read(inputs.frozen, inputs.batch)
        scores = score(self.config.model, inputs.params["model"], read, self.dtype)
        return {"cross_entropy": scores.cross_entropy, "accuracy": scores.accuracy}

    def panels(self, inputs: StepInput) -> dict[str, Panel]:
        """Show the first clip, its codec round trip, and the sound of tokens drawn given its S."""
        audio = inputs.first().batch["audio"]
        codec, drawn = self.resynthesise(inputs.params["model"], inputs.frozen, audio)
        return audio_panels({"original": audio, "codec": codec, "sampled": drawn})

    @functools.partial(jax.jit, static_argnums=0)
    def resynthesise(
        self, params: Tree, frozen: Mapping[str, Tree], audio: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        """Decode audio [B, L] from its own tokens, and from tokens drawn given its S; [B, L] each."""
        batch = {"audio": audio, "length": jnp.full(len(audio), audio.shape[1], jnp.int32)}
        read = self.read(frozen, batch)
        seeds = jnp.arange(len(audio), dtype=jnp.uint32)
        drawn = sample(
            self.config.model,
            params,
            read.s,
            read.tokens.shape[1],
            seeds,
            Policy(),
            prefix_mask=read.prefix_mask,
            dtype=self.dtype,
        )
        both = jnp.concatenate([read.tokens, drawn])
        decoded = self.codec.decode(frozen["tf_codec"], both, audio.shape[1])
        return decoded[: len(audio)], decoded[len(audio) :]

    def release(self, params: Mapping[str, Tree], aux: Tree) -> Tree:
        del aux
        return params["model"]


def score(
    config: AcousticDecoderConfig,
    params: Tree,
    read: DecoderInput,
    dtype: Any,
    dropout_key: jax.Array | None = None,
) -> TokenScores:
    """Score a batch with teacher forcing.

    Args:
      config: the decoder's config.
      params: its parameters.
      read: the batch.
      dtype: what the decoder computes in.
      dropout_key: with it in training mode.
    """
    logits = apply(
        config.make(dtype),
        {"params": params},
        read.s,
        read.tokens,
        prefix_mask=read.prefix_mask,
        train=dropout_key is not None,
        dropout_key=dropout_key,
        out=jax.Array,
    )
    return token_cross_entropy(logits, *targets_with_end(read.tokens, read.frames, config.end))


def with_noise(key: jax.Array, s: jax.Array, most: float) -> jax.Array:
    """Add Gaussian noise to S [B, P, Ca]: each row draws its level from [0, most] deviations a channel."""
    level_key, noise_key = jax.random.split(key)
    level = jax.random.uniform(level_key, (s.shape[0], 1, 1), maxval=most)
    deviation = jnp.std(s, axis=(0, 1), keepdims=True)
    return s + level * deviation * jax.random.normal(noise_key, s.shape, s.dtype)
