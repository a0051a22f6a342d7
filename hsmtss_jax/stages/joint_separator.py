"""Stage: fine-tune both separators end to end (HSM-TSS section III-D).

A switcher feeds the local separator with the target's G (probability ``target_probability``) or with
the global separator's prediction, through which the gradient flows back.

Legend: B batch, Cg width of G.
"""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from hsmtss_jax.audio.constants import CLIP_SAMPLES
from hsmtss_jax.config import StageConfig
from hsmtss_jax.conversion import from_dict
from hsmtss_jax.losses.separation import cosine, global_loss, local_loss
from hsmtss_jax.models.global_separator import GlobalSeparatorConfig
from hsmtss_jax.models.local_separator import LocalSeparatorConfig
from hsmtss_jax.models.separators import SeparatorOutput, TwoStage
from hsmtss_jax.stages.base import MixtureFeatures, MixtureStage, compare
from hsmtss_jax.stages.local_separator import patch_images, split_statistics, with_statistics
from hsmtss_jax.stages.panels import image_panels
from hsmtss_jax.stages.sizes import as_trained
from hsmtss_jax.train.stage import Batch, Objective, Panel, StepInput, StepReport, Tree


@dataclasses.dataclass(frozen=True, kw_only=True)
class JointSeparatorStageConfig(StageConfig):
    """Configure both separators; their sizes are those of the bundles they start from.

    global_model, local_model: None is the bundle's; dropout and remat alone may differ from it.
    """

    name: str = "joint_separator"
    global_model: GlobalSeparatorConfig | None = None
    local_model: LocalSeparatorConfig | None = None
    samples: int = CLIP_SAMPLES  # of a window at 16 kHz
    target_probability: float = 0.1  # P_gt: how often the local separator is given the target's G
    global_weight: float = 0.1
    local_weight: float = 1.0
    similarity_weight: float = 1.0  # lambda_1 of L_global
    l1_weight: float = 1.0  # lambda_2 of L_global


def switch(key: jax.Array, g_target: jax.Array, g_hat: jax.Array, probability: float) -> jax.Array:
    """Return b G_target + (1 - b) G_hat [B, 1, Cg], b ~ Bernoulli(probability) for each example."""
    b = jax.random.bernoulli(key, probability, (g_hat.shape[0],))
    return jnp.where(b[:, None, None], g_target, g_hat)


class JointSeparatorStage(MixtureStage):
    """Train one group, ``model`` = {"global", "local"}, started from the two trained separators."""

    config: JointSeparatorStageConfig
    config_class = JointSeparatorStageConfig
    upstream_names: ClassVar[tuple[str, ...]] = (
        *MixtureStage.upstream_names,
        "global_separator",
        "local_separator",
    )
    init_only_names: ClassVar[tuple[str, ...]] = ("global_separator", "local_separator")

    def complete(self, config: JointSeparatorStageConfig) -> JointSeparatorStageConfig:
        models: dict[str, Any] = {}
        for name, kind in (("global", GlobalSeparatorConfig), ("local", LocalSeparatorConfig)):
            trained = from_dict(kind, self.upstream[f"{name}_separator"].config["model"])
            given = getattr(config, f"{name}_model")
            path = f"stage.{name}_model"
            models[f"{name}_model"] = as_trained(given, trained, path, ("dropout", "remat"))
        return dataclasses.replace(config, **models)

    @functools.cached_property
    def separators(self) -> TwoStage:
        """Build both networks."""
        cfg = self.config
        assert cfg.global_model and cfg.local_model  # complete since the stage was built
        return TwoStage(cfg.global_model, cfg.local_model, self.dtype)

    def init(
        self, key: jax.Array, batch: Batch, frozen: Mapping[str, Tree]
    ) -> tuple[dict[str, Tree], Tree]:
        """Copy the two bundles' parameters; nothing is random. Statistics of S stay what they are."""
        del key, batch
        params = {name: frozen[f"{name}_separator"] for name in ("global", "local")}
        params["local"], statistics = split_statistics(params["local"])
        # A copy: the state is donated, the upstream arrays must survive it.
        return {"model": jax.tree.map(jnp.copy, params)}, jax.tree.map(jnp.copy, statistics)

    def objectives(self) -> dict[str, Objective]:
        return {"model": self._loss}

    def _loss(self, inputs: StepInput) -> tuple[jax.Array, StepReport]:
        features = self.read(inputs.frozen, inputs.batch)
        out = self._predict(inputs.params["model"], inputs.aux, features, inputs.key)
        of_global, of_local = self._errors(out, inputs.aux, features)
        loss = self.config.global_weight * of_global + self.config.local_weight * of_local
        metrics = {
            "global_loss": jnp.mean(of_global),
            "local_loss": jnp.mean(of_local),
            "global_cos": jnp.mean(cosine(out.g_hat, features.target.g)),
            "local_cos": jnp.mean(cosine(out.s_hat, features.target.s)),
        }
        return jnp.mean(loss), StepReport(metrics=metrics, aux=inputs.aux)

    def _errors(
        self, out: SeparatorOutput, aux: Tree, features: MixtureFeatures
    ) -> tuple[jax.Array, jax.Array]:
        """Compute L_global and L_local of each example, [B] each: HSM-TSS eq. (7) and (8)."""
        of_global = global_loss(
            out.g_hat,
            features.target.g,
            similarity_weight=self.config.similarity_weight,
            l1_weight=self.config.l1_weight,
        )
        return of_global, local_loss(out.s_hat, features.target.s, aux.get("std"))

    def _predict(
        self,
        params: Mapping[str, Tree],
        aux: Tree,
        features: MixtureFeatures,
        key: jax.Array | None = None,
        *,
        return_attention: bool = False,
    ) -> SeparatorOutput:
        """Predict G_hat and S_hat: with a key in training mode on the switched G, else on G_hat alone."""
        params = {**params, "local": with_statistics(params["local"], aux)}
        if key is None:
            return self.separators(
                params, features.mixture, features.condition, return_attention=return_attention
            )
        of_global, of_switch, of_local = jax.random.split(key, 3)
        choose = functools.partial(
            switch, of_switch, features.target.g, probability=self.config.target_probability
        )
        return self.separators(
            params, features.mixture, features.condition, choose=choose, keys=(of_global, of_local)
        )

    def eval_metrics(self, inputs: StepInput) -> dict[str, jax.Array]:
        """Compute cosine and L1 to the target of G_hat and of S_hat given G_hat, beside the mixture's."""
        features = self.read(inputs.frozen, inputs.batch)
        out = self._predict(inputs.params["model"], inputs.aux, features)
        of_global, of_local = self._errors(out, inputs.aux, features)
        return {
            "loss": self.config.global_weight * of_global + self.config.local_weight * of_local,
            **compare("global", out.g_hat, features.mixture.g, features.target.g),
            **compare("local", out.s_hat, features.mixture.s, features.target.s),
        }

    @functools.partial(jax.jit, static_argnums=0)
    def _images(self, inputs: StepInput) -> dict[str, jax.Array]:
        features = self.read(inputs.frozen, inputs.batch)
        out = self._predict(inputs.params["model"], inputs.aux, features, return_attention=True)
        return patch_images(out.local, features, self.separators.local_model.freq_patches)

    def panels(self, inputs: StepInput) -> dict[str, Panel]:
        """Show the first example's closeness to the target, and what the predicted G attends to."""
        return image_panels(self._images(inputs.first()))

    def release(self, params: Mapping[str, Tree], aux: Tree) -> Tree:
        model = params["model"]
        return {"global": model["global"], "local": with_statistics(model["local"], aux)}
