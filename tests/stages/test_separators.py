"""The separator stages at their tiny size, on random upstream bundles.

The frozen chain is compiled and run once; the stages under test are handed its features.
"""

import dataclasses
import functools
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from hsmtss_jax.config import load_config, to_dict
from hsmtss_jax.models.semantics import Semantics
from hsmtss_jax.models.separators import TextCondition
from hsmtss_jax.stages.base import MixtureFeatures, compare
from hsmtss_jax.stages.joint_separator import JointSeparatorStage, switch
from hsmtss_jax.stages.local_separator import (
    LocalSeparatorStage,
    split_statistics,
    update_statistics,
    with_statistics,
)
from hsmtss_jax.testing.bundles import frozen_params, make_stage, step_input, zero_batch
from hsmtss_jax.testing.corpus import write_tiny_corpus
from hsmtss_jax.train.stage import Shard, Stage, StepInput

PAPER = ("global_separator", "local_separator", "joint_separator")
NAMES = (*PAPER, "single_stage")
BATCH = 4


def batch_of(stage: Stage) -> dict[str, jax.Array]:
    """Noise as mixture, its first half as target; captions of three to six tokens."""
    rng = np.random.default_rng(0)
    spec = stage.batch_spec()
    mixture = 0.1 * rng.normal(size=spec["mixture"].shape).astype(np.float32)
    tokens = spec["text_ids"].shape[1]
    mask = np.arange(tokens)[None] < np.arange(3, 3 + BATCH)[:, None]
    return {
        "mixture": jnp.asarray(mixture),
        "target": jnp.asarray(mixture * (np.arange(mixture.shape[1]) < 20_000)),
        "length": jnp.full((BATCH,), mixture.shape[1], jnp.int32),
        "text_ids": jnp.asarray(rng.integers(4, 60, mask.shape) * mask, jnp.int32),
        "text_mask": jnp.asarray(mask),
        "task": jnp.arange(BATCH, dtype=jnp.int32) % 2,
    }


@functools.cache
def reader() -> tuple[Stage, Any]:
    """A stage and its compiled ``read``."""
    stage = make_stage("global_separator", batch_size=BATCH)
    return stage, jax.jit(stage.read)


@functools.cache
def features_of_batch() -> MixtureFeatures:
    stage, read = reader()
    return read(frozen_params(stage), batch_of(stage))


@functools.cache
def single_features_of_batch() -> MixtureFeatures:
    stage = make_stage("single_stage", batch_size=BATCH)
    return jax.jit(stage.read)(frozen_params(stage), batch_of(stage))


def handed(stage: Stage) -> Stage:
    """The stage with the features of the batch in place of its frozen chain."""
    single = stage.config.name == "single_stage"
    features = single_features_of_batch() if single else features_of_batch()
    stage.read = lambda frozen, batch: jax.tree.map(lambda x: x[: len(batch["task"])], features)
    return stage


@functools.cache
def stage_of(name: str) -> Stage:
    return handed(make_stage(name, batch_size=BATCH))


@functools.cache
def init_of(name: str) -> tuple[Any, Any]:
    stage = stage_of(name)
    return jax.jit(stage.init)(jax.random.key(0), zero_batch(stage), frozen_params(stage))


def inputs_of(name: str, key: int = 1) -> StepInput:
    stage, (params, aux) = stage_of(name), init_of(name)
    return step_input(stage, params, batch_of(stage), aux=aux, key=key)


@pytest.mark.parametrize("name", PAPER)
def test_a_few_steps_on_one_batch_lower_the_loss(name: str):
    stage, inputs = stage_of(name), inputs_of(name)
    objective = stage.objectives()["model"]
    optimizer = optax.adam(3e-3)

    @jax.jit
    def step(params: Any, opt_state: Any, inputs: StepInput) -> Any:
        loss_of = lambda model: objective(inputs.replace(params={"model": model}))  # noqa: E731
        (loss, report), grads = jax.value_and_grad(loss_of, has_aux=True)(params)
        updates, opt_state = optimizer.update(grads, opt_state)
        return optax.apply_updates(params, updates), opt_state, loss, report.metrics

    params = inputs.params["model"]
    opt_state, losses = optimizer.init(params), []
    for _ in range(8):
        params, opt_state, loss, metrics = step(params, opt_state, inputs)
        losses.append(float(loss))
        assert all(np.isfinite(value) and np.ndim(value) == 0 for value in metrics.values())
    assert losses[-1] < 0.9 * losses[0], losses


@pytest.mark.parametrize("name", NAMES)
def test_eval_metrics_are_per_example_and_deterministic(name: str):
    stage, inputs = stage_of(name), inputs_of(name)
    evaluate = jax.jit(stage.eval_metrics)
    one, two = (evaluate(inputs.replace(key=jax.random.key(key))) for key in (1, 2))
    kinds = {
        "global_separator": ("global",),
        "local_separator": ("local",),
        "joint_separator": ("global", "local"),
        "single_stage": ("local",),
    }[name]
    keys = {f"{kind}/{value}" for kind in kinds for value in ("cos", "l1")}
    assert set(one) == {"loss", *keys, *(f"{key}_mixture" for key in keys)}
    for key, value in one.items():
        assert value.shape == (BATCH,) and np.all(np.isfinite(value)), key
        np.testing.assert_array_equal(value, two[key])


def test_features_of_a_batch():
    features = features_of_batch()
    assert features.mixture.s.shape == features.target.s.shape == (BATCH, 128, 64)
    assert features.mixture.g.shape == features.target.g.shape == (BATCH, 1, 64)
    t_cap, t_cap_mask, t_task, t_task_mask = features.condition
    assert t_cap.shape == (BATCH, 17, 64) and t_cap_mask.shape == (BATCH, 17)
    np.testing.assert_array_equal(t_cap_mask.sum(1), 4 + np.arange(BATCH))  # [CLS] and the tokens
    assert t_task.shape[::2] == (BATCH, 16) and t_task.shape[:2] == t_task_mask.shape
    assert np.abs(t_task[0] - t_task[1]).max() > 0.1  # extract, remove
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(features))


@functools.cache
def joint_gradient() -> Any:
    """Compiled (model, features) -> ((loss, report), gradients) of the joint stage."""
    base, inputs = stage_of("joint_separator"), inputs_of("joint_separator")
    stage = JointSeparatorStage(base.config, base.data, base.upstream)
    stage.read = lambda frozen, batch: batch["features"]
    objective = stage.objectives()["model"]

    def loss(model: Any, features: MixtureFeatures) -> Any:
        return objective(inputs.replace(params={"model": model}, batch={"features": features}))

    return jax.jit(jax.value_and_grad(loss, has_aux=True))


def test_what_stands_in_padded_places_of_the_text_reaches_no_feature():
    stage, read = reader()
    batch = batch_of(stage)
    ids = jnp.where(batch["text_mask"], batch["text_ids"], 7)
    features = read(frozen_params(stage), {**batch, "text_ids": ids})
    t_cap, mask = (np.asarray(x) for x in features.condition[:2])
    np.testing.assert_allclose(t_cap[mask], features_of_batch().condition[0][mask], atol=1e-5)


def test_padding_of_the_text_reaches_neither_loss_nor_gradient():
    """NaN in every padded place: the joint stage runs both separators."""
    features = features_of_batch()
    t_cap, t_cap_mask, t_task, t_task_mask = features.condition
    holed = features.replace(
        condition=TextCondition(
            jnp.where(t_cap_mask[:, :, None], t_cap, jnp.nan),
            t_cap_mask,
            jnp.where(t_task_mask[:, :, None], t_task, jnp.nan),
            t_task_mask,
        )
    )
    assert np.isnan(holed.condition[0]).any()
    model = init_of("joint_separator")[0]["model"]
    (loss, _), grads = joint_gradient()(model, holed)
    (expected, _), expected_grads = joint_gradient()(model, features)
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6, rtol=1e-4), grads, expected_grads
    )


def test_the_single_stage_reads_the_text_encoder_and_no_g():
    stage, features = stage_of("single_stage"), single_features_of_batch()
    assert features.mixture.g is None and features.target.g is None
    raw, mask, *_ = features.condition
    assert raw.shape == (BATCH, 16, stage.encoders.text_encoder.width) and mask.shape == (BATCH, 16)
    np.testing.assert_array_equal(mask.sum(1), 3 + np.arange(BATCH))  # no [CLS]
    np.testing.assert_allclose(features.mixture.s, features_of_batch().mixture.s, atol=1e-5)
    params, _ = init_of("single_stage")
    assert "global" not in params["model"] and set(stage.upstream) == {"audio_mae", "text_encoder"}


def test_a_mixture_that_is_its_target_needs_no_separation():
    stage, read = reader()
    batch = batch_of(stage)
    features = read(frozen_params(stage), {**batch, "target": batch["mixture"]})
    for name in ("g", "s"):
        mixture, target = getattr(features.mixture, name), getattr(features.target, name)
        values = compare(name, target, mixture, target)
        np.testing.assert_allclose(values[f"{name}/cos_mixture"], np.ones(BATCH), atol=1e-4)
        np.testing.assert_allclose(values[f"{name}/l1_mixture"], np.zeros(BATCH), atol=1e-4)


def test_joint_starts_from_the_two_bundles_and_does_not_carry_them():
    stage = stage_of("joint_separator")
    frozen = inputs_of("joint_separator").frozen
    assert set(frozen) == {"audio_mae", "text_encoder", "q_audio"}
    params, aux = init_of("joint_separator")
    for name in ("global", "local"):
        expected = stage.upstream[f"{name}_separator"].params
        jax.tree.map(np.testing.assert_array_equal, params["model"][name], expected)
    assert aux == {}
    assert set(stage.release(params, aux)) == {"global", "local"}


def test_joint_has_the_sizes_of_its_bundles_and_refuses_others():
    config = load_config("joint_separator", "tiny").stage
    assert config.global_model is None and config.local_model is None
    joint = to_dict(stage_of("joint_separator").config)
    for name in ("global", "local"):
        bundle = stage_of("joint_separator").upstream[f"{name}_separator"]
        assert joint[f"{name}_model"] == bundle.config["model"]
    stage = stage_of("joint_separator")
    model = dataclasses.replace(stage.config.local_model, heads=2)
    config = dataclasses.replace(stage.config, local_model=model)
    with pytest.raises(
        ValueError, match=r"stage\.local_model\.heads=2, but the upstream bundle has 4"
    ):
        JointSeparatorStage(config, stage.data, stage.upstream)
    free = dataclasses.replace(stage.config.local_model, dropout=0.3, remat=True)
    JointSeparatorStage(
        dataclasses.replace(stage.config, local_model=free), stage.data, stage.upstream
    )


def test_switch_chooses_for_each_example():
    g_target, g_hat = jnp.ones((1000, 1, 2)), jnp.zeros((1000, 1, 2))
    chosen = switch(jax.random.key(0), g_target, g_hat, 0.1)[:, 0]
    assert np.all(chosen[:, 0] == chosen[:, 1])
    assert 0.06 < float(chosen.mean()) < 0.14
    assert float(switch(jax.random.key(0), g_target, g_hat, 0.0).max()) == 0.0
    assert float(switch(jax.random.key(0), g_target, g_hat, 1.0).min()) == 1.0


@pytest.mark.parametrize(("probability", "reaches"), [(0.0, True), (1.0, False)])
def test_local_loss_reaches_the_global_separator_through_its_prediction(
    probability: float, reaches: bool
):
    base, inputs = stage_of("joint_separator"), inputs_of("joint_separator")
    config = dataclasses.replace(base.config, global_weight=0.0, target_probability=probability)
    stage = handed(JointSeparatorStage(config, base.data, base.upstream))
    objective = stage.objectives()["model"]
    loss = lambda model, inputs: objective(inputs.replace(params={"model": model}))[0]  # noqa: E731
    grads = jax.jit(jax.grad(loss))(inputs.params["model"], inputs)
    assert (float(optax.tree.norm(grads["global"])) > 0) == reaches
    assert float(optax.tree.norm(grads["local"])) > 0


def test_joint_loss_is_the_weighted_sum():
    model = init_of("joint_separator")[0]["model"]
    (loss, report), _ = joint_gradient()(model, features_of_batch())
    expected = 0.1 * report.metrics["global_loss"] + report.metrics["local_loss"]
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["local_separator", "joint_separator", "single_stage"])
def test_panels_are_patch_maps(name: str):
    stage, inputs = stage_of(name), inputs_of(name)
    panels = stage.panels(inputs)
    attention = set() if name == "single_stage" else {"attention_of_g"}
    assert set(panels) == {"cosine", "cosine_mixture"} | attention
    for panel in panels.values():
        assert panel.kind == "image" and panel.value.shape == (8, 16)


def _features(s: jax.Array) -> MixtureFeatures:
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
        statistics = update_statistics(statistics, _features(jnp.asarray(batch, jnp.float32)))
    np.testing.assert_allclose(statistics["mean"], s.mean((0, 1, 2)), rtol=1e-4)
    np.testing.assert_allclose(statistics["std"], s.std((0, 1, 2)), rtol=1e-4)


def test_standardising_keeps_statistics_out_of_training_and_in_the_release():
    base = stage_of("local_separator")
    model = dataclasses.replace(base.config.model, standardise=True)
    config = dataclasses.replace(base.config, model=model)
    stage = handed(LocalSeparatorStage(config, base.data, base.upstream))
    frozen = frozen_params(stage)
    params, aux = jax.jit(stage.init)(jax.random.key(0), zero_batch(stage), frozen)
    assert "standardiser" not in params["model"] and set(aux) == {"mean", "std", "count"}
    inputs = inputs_of("local_separator").replace(params=params, aux=aux)
    loss, report = jax.jit(stage.objectives()["model"])(inputs)
    assert np.isfinite(loss) and float(report.aux["count"]) == 1.0
    released = stage.release(params, report.aux)
    np.testing.assert_array_equal(released["standardiser"]["std"], report.aux["std"])
    trained, statistics = split_statistics(released)
    assert jax.tree.structure(trained) == jax.tree.structure(params["model"])
    assert jax.tree.structure(with_statistics(trained, statistics)) == jax.tree.structure(released)


def test_data_set_gives_what_the_batch_spec_says(tmp_path: Path):
    stage = make_stage("global_separator", batch_size=BATCH, root=str(write_tiny_corpus(tmp_path)))
    for split in ("train", "validation"):
        batch = next(iter(stage.dataset(split, Shard(), 0)))
        spec = stage.batch_spec()
        assert {name: (x.shape, x.dtype) for name, x in batch.items()} == {
            name: (x.shape, x.dtype) for name, x in spec.items()
        }
