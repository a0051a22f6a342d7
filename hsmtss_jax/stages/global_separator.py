"""Stage: train the global-semantic separator H1 on mixtures (HSM-TSS section III-C).

Legend: B batch, Cg width of G.
"""

import dataclasses
from collections.abc import Mapping

import jax
import jax.numpy as jnp

from hsmtss_jax.audio.constants import CLIP_SAMPLES
from hsmtss_jax.config import StageConfig
from hsmtss_jax.losses.separation import global_loss, l1_loss, similarity_loss
from hsmtss_jax.models.global_separator import GlobalSeparatorConfig
from hsmtss_jax.models.separators import predict_global
from hsmtss_jax.stages.base import MixtureFeatures, MixtureStage, compare
from hsmtss_jax.stages.sizes import inherit, with_sizes
from hsmtss_jax.train.stage import Batch, Objective, StepInput, StepReport, Tree


@dataclasses.dataclass(frozen=True, kw_only=True)
class GlobalSeparatorStageConfig(StageConfig):
    """Configure the global separator alone; AudioMAE, text encoder and Q-Audio are frozen."""

    name: str = "global_separator"
    # global_width: None is Q-Audio's
    model: GlobalSeparatorConfig = dataclasses.field(
        default_factory=lambda: inherit(GlobalSeparatorConfig())
    )
    samples: int = CLIP_SAMPLES  # of a window at 16 kHz
    similarity_weight: float = 1.0  # lambda_1
    l1_weight: float = 1.0  # lambda_2


class GlobalSeparatorStage(MixtureStage):
    """Train one group, ``model``; the release is its parameters."""

    config: GlobalSeparatorStageConfig
    config_class = GlobalSeparatorStageConfig

    def complete(self, config: GlobalSeparatorStageConfig) -> GlobalSeparatorStageConfig:
        return with_sizes(config, {"global_width": self.encoders.q_audio.global_width})

    def init(
        self, key: jax.Array, batch: Batch, frozen: Mapping[str, Tree]
    ) -> tuple[dict[str, Tree], Tree]:
        blank = self.blank(frozen, batch)
        variables = self.config.model.make(self.dtype).init(key, blank.mixture.g, *blank.condition)
        return {"model": variables["params"]}, {}

    def objectives(self) -> dict[str, Objective]:
        return {"model": self._loss}

    def _loss(self, inputs: StepInput) -> tuple[jax.Array, StepReport]:
        features = self.read(inputs.frozen, inputs.batch)
        g_hat = self._predict(inputs.params["model"], features, inputs.key)
        loss = self._error(g_hat, features.target.g)
        metrics = {
            "cos": 1.0 - jnp.mean(similarity_loss(g_hat, features.target.g)),
            "l1": jnp.mean(l1_loss(g_hat, features.target.g)),
        }
        return jnp.mean(loss), StepReport(metrics=metrics, aux=inputs.aux)

    def _predict(
        self, params: Tree, features: MixtureFeatures, key: jax.Array | None = None
    ) -> jax.Array:
        """Predict G_hat [B, 1, Cg]; in training mode when a dropout key is given."""
        model = self.config.model
        return predict_global(
            model, params, features.mixture.g, features.condition, self.dtype, key
        )

    def _error(self, g_hat: jax.Array, g_target: jax.Array) -> jax.Array:
        """Compute L_global of each example, [B]: HSM-TSS eq. (7)."""
        return global_loss(
            g_hat,
            g_target,
            similarity_weight=self.config.similarity_weight,
            l1_weight=self.config.l1_weight,
        )

    def eval_metrics(self, inputs: StepInput) -> dict[str, jax.Array]:
        """Compute cosine and L1 of G_hat, and of G_mix (the score of doing nothing), to the target's G."""
        features = self.read(inputs.frozen, inputs.batch)
        g_hat = self._predict(inputs.params["model"], features)
        return {
            "loss": self._error(g_hat, features.target.g),
            **compare("global", g_hat, features.mixture.g, features.target.g),
        }

    def release(self, params: Mapping[str, Tree], aux: Tree) -> Tree:
        del aux
        return params["model"]
