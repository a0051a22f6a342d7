"""The local separator's stage: its loss, its metrics, the running statistics of S."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.models.semantics import Semantics
from hsmtss_jax.models.separators import TextCondition
from hsmtss_jax.stages.base import MixtureFeatures
from hsmtss_jax.stages.local_separator import (
    LocalSeparatorStage,
    split_statistics,
    update_statistics,
    with_statistics,
)
from hsmtss_jax.testing.bundles import frozen_params, zero_batch
from tests.stages.separators import (
    assert_evaluates,
    assert_patch_maps,
    features_of,
    inputs_of,
    losses_of_steps,
    reading,
    stage_of,
)

NAME = "local_separator"


def test_a_few_steps_on_one_batch_lower_the_loss():
    losses = losses_of_steps(NAME)
    assert losses[-1] < 0.9 * losses[0], losses


def test_eval_metrics_are_per_example_and_deterministic():
    assert_evaluates(NAME, "local")


def test_panels_are_patch_maps():
    assert_patch_maps(NAME, "cosine", "cosine_mixture", "attention_of_g")


def features(s: jax.Array) -> MixtureFeatures:
    empty = jnp.zeros((0,))
    return MixtureFeatures(
        mixture=Semantics(s=s[:1], g=empty),
        target=Semantics(s=s[1:], g=empty),
        condition=TextCondition(*(empty,) * 4),
    )


def test_running_statistics_converge_to_those_of_the_features():
    rng = np.random.default_rng(0)
    s = 3.0 + np.array([1.0, 2.0]) * rng.normal(size=(50, 2, 16, 2))
    statistics = {"mean": jnp.zeros(2), "std": jnp.ones(2), "count": jnp.zeros(())}
    for batch in s:
        statistics = update_statistics(statistics, features(jnp.asarray(batch, jnp.float32)))
    np.testing.assert_allclose(statistics["mean"], s.mean((0, 1, 2)), rtol=1e-4)
    np.testing.assert_allclose(statistics["std"], s.std((0, 1, 2)), rtol=1e-4)


def test_standardising_keeps_statistics_out_of_training_and_in_the_release():
    base = stage_of(NAME)
    model = dataclasses.replace(base.config.model, standardise=True)
    config = dataclasses.replace(base.config, model=model)
    stage = LocalSeparatorStage(config, base.data, base.upstream)
    frozen = frozen_params(stage)
    params, aux = jax.jit(stage.init)(jax.random.key(0), zero_batch(stage), frozen)
    assert "standardiser" not in params["model"] and set(aux) == {"mean", "std", "count"}
    objective = reading(stage, features_of(NAME)).objectives()["model"]
    loss, report = jax.jit(objective)(inputs_of(NAME).replace(params=params, aux=aux))
    assert np.isfinite(loss) and float(report.aux["count"]) == 1.0
    released = stage.release(params, report.aux)
    np.testing.assert_array_equal(released["standardiser"]["std"], report.aux["std"])
    trained, statistics = split_statistics(released)
    assert jax.tree.structure(trained) == jax.tree.structure(params["model"])
    assert jax.tree.structure(with_statistics(trained, statistics)) == jax.tree.structure(released)
