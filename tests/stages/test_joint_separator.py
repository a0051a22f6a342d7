"""The joint stage: both separators from their bundles, the switched G, the weighted loss."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from hsmtss_jax.config import load_config
from hsmtss_jax.conversion import to_dict
from hsmtss_jax.models.separators import TextCondition
from hsmtss_jax.stages.joint_separator import JointSeparatorStage, switch
from hsmtss_jax.testing.bundles import frozen_params, step_input
from tests.stages.separators import (
    as_batch,
    assert_evaluates,
    assert_patch_maps,
    features_of,
    gradient_of,
    inputs_of,
    losses_of_steps,
    stage_of,
)

NAME = "joint_separator"


def test_a_few_steps_on_one_batch_lower_the_loss():
    losses = losses_of_steps(NAME)
    assert losses[-1] < 0.9 * losses[0], losses


def test_joint_loss_is_the_weighted_sum():
    (loss, metrics), _ = gradient_of(NAME, inputs_of(NAME))
    expected = 0.1 * metrics["global_loss"] + metrics["local_loss"]
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_eval_metrics_are_per_example_and_deterministic():
    assert_evaluates(NAME, "global", "local")


def test_panels_are_patch_maps():
    assert_patch_maps(NAME, "cosine", "cosine_mixture", "attention_of_g")


def test_padding_of_the_text_reaches_neither_loss_nor_gradient():
    """NaN in every padded place: the joint stage runs both separators."""
    features, inputs = features_of(NAME), inputs_of(NAME)
    t_cap, t_cap_mask, t_task, t_task_mask = features.condition
    holed = features.replace(
        condition=TextCondition(
            jnp.where(t_cap_mask[:, :, None], t_cap, jnp.nan),
            t_cap_mask,
            jnp.where(t_task_mask[:, :, None], t_task, jnp.nan),
            t_task_mask,
        )
    )
    assert np.isnan(holed.condition.text).any()
    (loss, _), grads = gradient_of(NAME, inputs.replace(batch=as_batch(holed)))
    (expected, _), expected_grads = gradient_of(NAME, inputs)
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6, rtol=1e-4), grads, expected_grads
    )


def test_joint_starts_from_the_two_bundles_and_does_not_carry_them():
    stage = stage_of(NAME)
    params, aux = stage.init(jax.random.key(0), {}, frozen_params(stage))
    assert set(step_input(stage, params, {}).frozen) == {"audio_mae", "text_encoder", "q_audio"}
    for name in ("global", "local"):
        expected = stage.upstream[f"{name}_separator"].params
        jax.tree.map(np.testing.assert_array_equal, params["model"][name], expected)
    assert aux == {}
    assert set(stage.release(params, aux)) == {"global", "local"}


def test_joint_has_the_sizes_of_its_bundles_and_refuses_others():
    config = load_config(NAME, "tiny").stage
    assert config.global_model is None and config.local_model is None
    stage = stage_of(NAME)
    joint = to_dict(stage.config)
    for name in ("global", "local"):
        assert joint[f"{name}_model"] == stage.upstream[f"{name}_separator"].config["model"]
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
    weights = {"global_weight": 0.0, "target_probability": probability}
    _, grads = gradient_of(NAME, inputs_of(NAME), **weights)
    assert (float(optax.tree.norm(grads["model"]["global"])) > 0) == reaches
    assert float(optax.tree.norm(grads["model"]["local"])) > 0
