"""Stage: train the local-semantic separator H2 on mixtures, given the target's G (HSM-TSS eq. (8)).

Legend: B batch, P patches, H heads, Ca width of S.
"""

import dataclasses
import functools
from collections.abc import Mapping

import jax
import jax.numpy as jnp

from hsmtss_jax.audio.constants import CLIP_SAMPLES
from hsmtss_jax.config import StageConfig
from hsmtss_jax.losses.separation import cosine, local_loss
from hsmtss_jax.models.local_separator import LocalOutput, LocalSeparatorConfig
from hsmtss_jax.models.separators import predict_local
from hsmtss_jax.stages.base import MixtureFeatures, MixtureStage, compare
from hsmtss_jax.stages.panels import image_panels, patch_image
from hsmtss_jax.stages.sizes import inherit, with_sizes
from hsmtss_jax.train.stage import Batch, Objective, Panel, StepInput, StepReport, Tree

_MEMORY = 1000.0  # batches the running statistics look back on


@dataclasses.dataclass(frozen=True, kw_only=True)
class LocalSeparatorStageConfig(StageConfig):
    """Configure the local separator alone; AudioMAE, text encoder and Q-Audio are frozen."""

    name: str = "local_separator"
    # audio_width, time_patches, freq_patches: None is AudioMAE's
    model: LocalSeparatorConfig = dataclasses.field(
        default_factory=lambda: inherit(LocalSeparatorConfig())
    )
    samples: int = CLIP_SAMPLES  # of a window at 16 kHz


def split_statistics(params: Tree) -> tuple[Tree, Tree]:
    """Split a local separator's parameters into what is trained and its running statistics of S, or {}."""
    trained = {name: tree for name, tree in params.items() if name != "standardiser"}
    if "standardiser" not in params:
        return trained, {}
    return trained, {**params["standardiser"], "count": jnp.zeros(())}


def with_statistics(params: Tree, statistics: Tree) -> Tree:
    """Undo ``split_statistics``."""
    if not statistics:
        return params
    kept = {name: statistics[name] for name in ("mean", "std")}
    return {**params, "standardiser": kept}


def update_statistics(statistics: Tree, features: MixtureFeatures) -> Tree:
    """Update mean and deviation of each channel of S with a batch, mixtures and targets alike."""
    if not statistics:
        return statistics
    s = jnp.concatenate([features.mixture.s, features.target.s]).astype(jnp.float32)
    rate = 1.0 / (jnp.minimum(statistics["count"], _MEMORY) + 1.0)
    shift = jnp.mean(s, axis=(0, 1)) - statistics["mean"]
    variance = (1 - rate) * (statistics["std"] ** 2 + rate * shift**2) + rate * jnp.var(
        s, axis=(0, 1)
    )
    return {
        "mean": statistics["mean"] + rate * shift,
        "std": jnp.sqrt(jnp.maximum(variance, 1e-6)),
        "count": statistics["count"] + 1.0,
    }


def patch_images(
    output: LocalOutput, features: MixtureFeatures, freq_patches: int
) -> dict[str, jax.Array]:
    """Map the first example's closeness to the target and, with a G, what G attends to."""
    values = {
        "cosine": cosine(output.s_hat[0], features.target.s[0]),
        "cosine_mixture": cosine(features.mixture.s[0], features.target.s[0]),
    }
    if features.target.g is not None:
        values["attention_of_g"] = jnp.mean(output.global_attention()[0], axis=0)
    return {name: patch_image(value, freq_patches) for name, value in values.items()}


class LocalSeparatorStage(MixtureStage):
    """Train one group, ``model``; the release is its parameters (and statistics, if it standardises)."""

    config: LocalSeparatorStageConfig
    config_class = LocalSeparatorStageConfig

    def complete(self, config: LocalSeparatorStageConfig) -> LocalSeparatorStageConfig:
        return with_sizes(config, self.patch_sizes())

    def init(
        self, key: jax.Array, batch: Batch, frozen: Mapping[str, Tree]
    ) -> tuple[dict[str, Tree], Tree]:
        blank = self.blank(frozen, batch)
        module = self.config.model.make(self.dtype)
        variables = module.init(key, blank.mixture.s, blank.target.g, *blank.condition)
        params, statistics = split_statistics(variables["params"])
        return {"model": params}, statistics

    def objectives(self) -> dict[str, Objective]:
        return {"model": self._loss}

    def _loss(self, inputs: StepInput) -> tuple[jax.Array, StepReport]:
        features = self.read(inputs.frozen, inputs.batch)
        aux = update_statistics(inputs.aux, features)
        params = with_statistics(inputs.params["model"], aux)
        s_hat = self._predict(params, features, inputs.key).s_hat
        loss = local_loss(s_hat, features.target.s, aux.get("std"))
        metrics = {"cos": jnp.mean(cosine(s_hat, features.target.s))}
        return jnp.mean(loss), StepReport(metrics=metrics, aux=aux)

    def _predict(
        self,
        params: Tree,
        features: MixtureFeatures,
        key: jax.Array | None = None,
        *,
        return_attention: bool = False,
    ) -> LocalOutput:
        """Predict S_hat given the target's G; in training mode when a dropout key is given."""
        return predict_local(
            self.config.model,
            params,
            features.mixture.s,
            features.target.g,
            features.condition,
            self.dtype,
            key,
            return_attention=return_attention,
        )

    def eval_metrics(self, inputs: StepInput) -> dict[str, jax.Array]:
        """Compute cosine and L1 of S_hat, and of S_mix (the score of doing nothing), to the target's S."""
        features = self.read(inputs.frozen, inputs.batch)
        params = with_statistics(inputs.params["model"], inputs.aux)
        s_hat = self._predict(params, features).s_hat
        return {
            "loss": local_loss(s_hat, features.target.s, inputs.aux.get("std")),
            **compare("local", s_hat, features.mixture.s, features.target.s),
        }

    @functools.partial(jax.jit, static_argnums=0)
    def _images(self, inputs: StepInput) -> dict[str, jax.Array]:
        features = self.read(inputs.frozen, inputs.batch)
        params = with_statistics(inputs.params["model"], inputs.aux)
        output = self._predict(params, features, return_attention=True)
        return patch_images(output, features, self.config.model.freq_patches)

    def panels(self, inputs: StepInput) -> dict[str, Panel]:
        """Show the first example's closeness to the target, and what G attends to (HSM-TSS Fig. 6)."""
        return image_panels(self._images(inputs.first()))

    def release(self, params: Mapping[str, Tree], aux: Tree) -> Tree:
        return with_statistics(params["model"], aux)
