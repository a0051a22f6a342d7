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

from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.config import DataConfig, StageConfig, from_dict
from hsmtss_jax.losses.separation import cosine, global_loss, local_loss
from hsmtss_jax.models.global_separator import GlobalSeparatorConfig
from hsmtss_jax.models.local_separator import LocalSeparatorConfig
from hsmtss_jax.models.separators import SeparatorOutput, TwoStage
from hsmtss_jax.stages.base import (
    MixtureFeatures,
    MixtureStage,
    compare,
)
from hsmtss_jax.stages.local_separator import (
    image_panels,
    patch_images,
    split_statistics,
    with_statistics,
)
from hsmtss_jax.train.stage import Batch, Objective, Panel, Report, StepInput, Tree


@dataclasses.dataclass(frozen=True, kw_only=True)
class JointSeparatorStageConfig(StageConfig):
    """Both separators; their sizes must be those of the bundles they start from."""

    name: str = "joint_separator"
    global_model: GlobalSeparatorConfig = dataclasses.field(default_factory=GlobalSeparatorConfig)
    local_model: LocalSeparatorConfig = dataclasses.field(default_factory=LocalSeparatorConfig)
    samples: int = 160_000  # of a window at 16 kHz
    target_probability: float = 0.1  # P_gt: how often the local separator is given the target's G
    global_weight: float = 0.1
    local_weight: float = 1.0
    similarity_weight: float = 1.0  # lambda_1 of L_global
    l1_weight: float = 1.0  # lambda_2 of L_global


def switch(key: jax.Array, g_target: jax.Array, g_hat: jax.Array, probability: float) -> jax.Array:
    """b G_target + (1 - b) G_hat, with b ~ Bernoulli(probability) for each example. [B, 1, Cg]."""
    b = jax.random.bernoulli(key, probability, (g_hat.shape[0],))
    return jnp.where(b[:, None, None], g_target, g_hat)


class JointSeparatorStage(MixtureStage):
    """One group, ``model`` = {"global", "local"}, started from the two trained separators."""

    config: JointSeparatorStageConfig
    upstream_names: ClassVar[tuple[str, ...]] = (
        *MixtureStage.upstream_names,
        "global_separator",
        "local_separator",
    )
    init_only_names: ClassVar[tuple[str, ...]] = ("global_separator", "local_separator")

    def __init__(
        self, config: StageConfig, data: DataConfig, upstream: Mapping[str, Bundle] | None = None
    ) -> None:
        super().__init__(config, data, upstream)
        for name in ("global", "local"):
            _check_sizes(getattr(self.config, f"{name}_model"), self.upstream[f"{name}_separator"])

    def init(
        self, key: jax.Array, batch: Batch, frozen: Mapping[str, Tree]
    ) -> tuple[dict[str, Tree], Tree]:
        """The two bundles' parameters; nothing is random. Statistics of S stay what they are."""
        del key, batch
        params = {name: frozen[f"{name}_separator"] for name in ("global", "local")}
        params["local"], statistics = split_statistics(params["local"])
        # A copy: the state is donated, the upstream arrays must survive it.
        return {"model": jax.tree.map(jnp.copy, params)}, jax.tree.map(jnp.copy, statistics)

    def objectives(self) -> dict[str, Objective]:
        return {"model": self._loss}

    def _loss(self, inputs: StepInput) -> tuple[jax.Array, Report]:
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
        return jnp.mean(loss), Report(metrics=metrics, aux=inputs.aux)

    def _errors(
        self, out: SeparatorOutput, aux: Tree, features: MixtureFeatures
    ) -> tuple[jax.Array, jax.Array]:
        """L_global and L_local of each example, [B] each."""
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
        """With a key: training mode, switched G. Without: the system as it is used, G_hat alone."""
        params = {**params, "local": with_statistics(params["local"], aux)}
        separators = TwoStage(self.config.global_model, self.config.local_model, self.dtype)
        if key is None:
            return separators(
                params, features.mixture, features.condition, return_attention=return_attention
            )
        of_global, of_switch, of_local = jax.random.split(key, 3)
        choose = functools.partial(
            switch, of_switch, features.target.g, probability=self.config.target_probability
        )
        return separators(
            params, features.mixture, features.condition, choose=choose, keys=(of_global, of_local)
        )

    def eval_metrics(
        self,
        params: Mapping[str, Tree],
        aux: Tree,
        frozen: Mapping[str, Tree],
        batch: Batch,
        key: jax.Array,
    ) -> dict[str, jax.Array]:
        """Cosine and L1 to the target of G_hat and of S_hat given G_hat, beside the mixture's."""
        del key
        features = self.read(frozen, batch)
        out = self._predict(params["model"], aux, features)
        of_global, of_local = self._errors(out, aux, features)
        return {
            "loss": self.config.global_weight * of_global + self.config.local_weight * of_local,
            **compare("global", out.g_hat, features.mixture.g, features.target.g),
            **compare("local", out.s_hat, features.mixture.s, features.target.s),
        }

    @functools.partial(jax.jit, static_argnums=0)
    def _images(
        self, params: Mapping[str, Tree], aux: Tree, frozen: Mapping[str, Tree], batch: Batch
    ) -> dict[str, jax.Array]:
        features = self.read(frozen, batch)
        out = self._predict(params["model"], aux, features, return_attention=True)
        return patch_images(out.local, features, self.config.local_model.freq_patches)

    def panels(
        self,
        params: Mapping[str, Tree],
        aux: Tree,
        frozen: Mapping[str, Tree],
        batch: Batch,
        key: jax.Array,
    ) -> dict[str, Panel]:
        """Of the first example: closeness to the target, and what the predicted G attends to."""
        del key
        first = {name: value[:1] for name, value in batch.items()}
        return image_panels(self._images(params, aux, frozen, first))

    def release(self, params: Mapping[str, Tree], aux: Tree) -> Tree:
        model = params["model"]
        return {"global": model["global"], "local": with_statistics(model["local"], aux)}


def _check_sizes(config: Any, bundle: Bundle) -> None:
    """ValueError unless the bundle's model is ``config``'s; dropout and remat are free to differ."""
    trained = from_dict(type(config), bundle.config["model"])
    free = {"dropout": config.dropout, "remat": config.remat}
    if dataclasses.replace(trained, **free) != config:
        raise ValueError(
            f"the {bundle.stage} bundle was trained as {trained}, the joint stage wants {config}: "
            "give both the same sizes"
        )
