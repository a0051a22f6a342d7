"""Stage: fine-tune the acoustic decoder on what it is given at run time, the separators' S_hat.

The paper trains the decoder on the S of clean clips only, and S_hat differs from any of those: it is an
average over what the target may be. Here the decoder reads S_hat of a mixture and is to write the tokens
of the true target. Optional: a pipeline takes the tuned decoder in the place of the other.

Legend: B batch, L samples, P patches, Ca width of S, T token frames, K groups.
"""

import dataclasses
from collections.abc import Mapping
from typing import ClassVar

import jax
import jax.numpy as jnp

from hsmtss_jax.bundle import Bundle
from hsmtss_jax.config import DataConfig, StageConfig, from_dict
from hsmtss_jax.losses.tokens import TokenScores
from hsmtss_jax.models.acoustic_decoder import AcousticDecoderConfig
from hsmtss_jax.models.tf_codec import TFCodecConfig
from hsmtss_jax.stages.acoustic_decoder import DecoderInput, score
from hsmtss_jax.stages.joint_separator import JointSeparatorStageConfig, separate
from hsmtss_jax.stages.separation import SeparationStage
from hsmtss_jax.train.stage import Batch, Objective, Panel, Report, StepInput, Tree


@dataclasses.dataclass(frozen=True, kw_only=True)
class DecoderTuningStageConfig(StageConfig):
    """The decoder's sizes must be those of the bundle it starts from."""

    name: str = "decoder_tuning"
    model: AcousticDecoderConfig = dataclasses.field(default_factory=AcousticDecoderConfig)
    samples: int = 160_000  # L of a window at 16 kHz
    plain_share: float = 0.25  # of the examples: a mixture from its own S, as in the first training


class DecoderTuningStage(SeparationStage):
    """One group, ``model``, started from a trained decoder; all of it is released."""

    config: DecoderTuningStageConfig
    upstream_names: ClassVar[tuple[str, ...]] = (
        *SeparationStage.upstream_names,
        "joint_separator",
        "tf_codec",
        "acoustic_decoder",
    )
    init_only_names: ClassVar[tuple[str, ...]] = ("acoustic_decoder",)

    def __init__(
        self, config: StageConfig, data: DataConfig, upstream: Mapping[str, Bundle] | None = None
    ) -> None:
        super().__init__(config, data, upstream)
        bundles = self.upstream
        self.codec = from_dict(TFCodecConfig, bundles["tf_codec"].config["model"])
        self.separators = from_dict(JointSeparatorStageConfig, bundles["joint_separator"].config)
        trained = from_dict(AcousticDecoderConfig, bundles["acoustic_decoder"].config["model"])
        wanted = self.config.model
        if dataclasses.replace(trained, dropout=wanted.dropout, remat=wanted.remat) != wanted:
            raise ValueError(
                f"the acoustic_decoder bundle was trained as {trained}, this stage wants "
                f"{wanted}: give both the same sizes"
            )

    def init(
        self, key: jax.Array, batch: Batch, frozen: Mapping[str, Tree]
    ) -> tuple[dict[str, Tree], Tree]:
        """The bundle's parameters; nothing is random."""
        del key, batch
        # A copy: the state is donated, the upstream arrays must survive it.
        return {"model": jax.tree.map(jnp.copy, frozen["acoustic_decoder"])}, {}

    def objectives(self) -> dict[str, Objective]:
        return {"model": self._loss}

    def _loss(self, inputs: StepInput) -> tuple[jax.Array, Report]:
        share_key, dropout_key = jax.random.split(inputs.key)
        size = inputs.batch["mixture"].shape[0]
        plain = jax.random.bernoulli(share_key, self.config.plain_share, (size,))
        read = self.read_tokens(inputs.frozen, inputs.batch, plain)
        scores = score(
            self.config.model, inputs.params["model"], read, self.dtype, dropout_key=dropout_key
        )
        metrics = {"cross_entropy": scores.loss, "accuracy": jnp.mean(scores.accuracy)}
        return scores.loss, Report(metrics=metrics, aux=inputs.aux)

    def read_tokens(
        self, frozen: Mapping[str, Tree], batch: Batch, plain: jax.Array
    ) -> DecoderInput:
        """S_hat and the target's tokens, or the mixture's own S and tokens where ``plain`` [B] is True.

        The zeros behind a target are silence to be written, so every frame has a loss.
        """
        s_mix = self.features.local(frozen, batch["mixture"])
        g_mix = self.features.global_(frozen, s_mix)
        text = self.features.text(frozen, batch["text_ids"], batch["text_mask"])
        condition = (*text, *self.features.task(frozen, batch["task"]))
        separators = frozen["joint_separator"]
        out = separate(self.separators, separators, (s_mix, g_mix), condition, self.dtype)
        sound = jnp.where(plain[:, None], batch["mixture"], batch["target"])
        tokens = self.codec.make(jnp.float32).apply(frozen["tf_codec"], sound, method="encode")
        assert isinstance(tokens, jax.Array)
        read = DecoderInput(
            s=jnp.where(plain[:, None, None], s_mix, out.s_hat),
            tokens=tokens,
            frames=jnp.full(sound.shape[:1], tokens.shape[1], jnp.int32),
        )
        return jax.tree.map(jax.lax.stop_gradient, read)

    def eval_metrics(
        self,
        params: Mapping[str, Tree],
        aux: Tree,
        frozen: Mapping[str, Tree],
        batch: Batch,
        key: jax.Array,
    ) -> dict[str, jax.Array]:
        """Cross-entropy in nats and top-1 accuracy of the target's tokens given S_hat: [B] each."""
        del aux, key
        plain = jnp.zeros(batch["mixture"].shape[:1], bool)
        scores: TokenScores = score(
            self.config.model, params["model"], self.read_tokens(frozen, batch, plain), self.dtype
        )
        return {"cross_entropy": scores.cross_entropy, "accuracy": scores.accuracy}

    def panels(
        self,
        params: Mapping[str, Tree],
        aux: Tree,
        frozen: Mapping[str, Tree],
        batch: Batch,
        key: jax.Array,
    ) -> dict[str, Panel]:
        """None: the pipeline's figures show what it decodes."""
        del params, aux, frozen, batch, key
        return {}

    def release(self, params: Mapping[str, Tree], aux: Tree) -> Tree:
        del aux
        return params["model"]
