"""The mask decoder's stage at its tiny size."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from hsmtss_jax.data.recipe import EXTRACT, REMOVE
from hsmtss_jax.stages.mask_decoder import at_working_level
from hsmtss_jax.testing.bundles import draw, frozen_params, make_stage, step_input, zero_batch

BATCH = 2


@pytest.fixture(scope="module")
def stage():
    return make_stage("mask_decoder", batch_size=BATCH)


@pytest.fixture(scope="module")
def frozen(stage):
    return jax.tree.map(jnp.asarray, frozen_params(stage))


@pytest.fixture(scope="module")
def batch(stage):
    rng = np.random.default_rng(0)
    mixture = 0.1 * rng.normal(size=stage.batch_spec()["mixture"].shape).astype(np.float32)
    low = np.apply_along_axis(lambda x: np.convolve(x, np.ones(8) / 8, "same"), 1, mixture)
    mask = np.arange(stage.data.max_text_tokens)[None] < np.array([[3], [5]])
    return {
        "mixture": jnp.asarray(mixture),
        "target": jnp.asarray(low, jnp.float32),
        "length": jnp.full((BATCH,), mixture.shape[1], jnp.int32),
        "text_ids": jnp.asarray(rng.integers(4, 60, mask.shape), jnp.int32),
        "text_mask": jnp.asarray(mask),
        "task": jnp.asarray([EXTRACT, REMOVE], jnp.int32),
        "present": jnp.asarray([True, False]),
    }


@pytest.fixture(scope="module")
def trained(stage, batch, frozen):
    """(params, losses) after a few steps on one batch."""
    shapes = jax.eval_shape(stage.init, jax.random.key(0), zero_batch(stage), frozen)
    model = draw(shapes[0], "mask_decoder")["model"]
    optimizer = optax.adam(3e-3)

    @jax.jit
    def step(model, opt_state):
        def loss(model):
            return stage.objectives()["model"](
                step_input(stage, {"model": model}, batch, frozen=frozen)
            )

        (value, _), grads = jax.value_and_grad(loss, has_aux=True)(model)
        updates, opt_state = optimizer.update(grads, opt_state)
        return optax.apply_updates(model, updates), opt_state, value

    opt_state, losses = optimizer.init(model), []
    for _ in range(15):
        model, opt_state, value = step(model, opt_state)
        losses.append(float(value))
    return {"model": model}, losses


@pytest.fixture(scope="module")
def evaluate(stage, trained, frozen):
    """A compiled batch -> metrics."""
    params, _ = trained
    return jax.jit(
        lambda batch: stage.eval_metrics(step_input(stage, params, batch, frozen=frozen))
    )


def test_a_few_steps_on_one_batch_lower_the_loss(trained):
    losses = trained[1]
    assert np.all(np.isfinite(losses)) and losses[-1] < losses[0] - 0.1, losses


def test_eval_metrics_are_per_example(batch, evaluate):
    metrics = evaluate(batch)
    names = {"loss", "error", "spectral", "presence", "gain"}
    assert set(metrics) == names
    assert all(value.shape == (BATCH,) and np.all(np.isfinite(value)) for value in metrics.values())


def test_the_level_of_an_example_does_not_matter(batch, evaluate):
    gain = jnp.asarray([[0.01], [10.0]])
    other = {**batch, "mixture": gain * batch["mixture"], "target": gain * batch["target"]}
    mine, theirs = evaluate(batch), evaluate(other)
    np.testing.assert_allclose(mine["loss"], theirs["loss"], atol=1e-3)


def test_the_sound_of_absent_examples_has_its_own_weight(stage, batch, evaluate):
    metrics = evaluate(batch)
    sound = stage.config.error_weight * metrics["error"]
    sound += stage.config.spectral_weight * metrics["spectral"]
    weight = np.array([1.0, stage.config.absent_weight])
    expected = weight * sound + stage.config.presence_weight * metrics["presence"]
    np.testing.assert_allclose(metrics["loss"], expected, atol=1e-5)


def test_the_working_level_is_the_mixture_s_for_both(batch):
    heard = at_working_level(batch)
    ratio = [np.asarray(heard[name] / batch[name])[:, 5] for name in ("mixture", "target")]
    np.testing.assert_allclose(*ratio, rtol=1e-4)


def test_the_truth_can_steer_instead(batch, frozen):
    ceiling = make_stage("mask_decoder", batch_size=BATCH)
    ceiling.config = dataclasses.replace(ceiling.config, truth=True)
    steering = ceiling.steering(frozen, batch)
    own = ceiling.encoders.encode(frozen, batch["target"])
    np.testing.assert_allclose(steering.s_hat, own.s, atol=1e-5)
    np.testing.assert_allclose(steering.g_hat, own.g, atol=1e-5)


def test_panels_show_mixture_estimate_and_target(stage, batch, trained, frozen):
    panels = stage.panels(step_input(stage, trained[0], batch, frozen=frozen))
    assert {"mixture_audio", "estimate_audio", "target_spectrogram"} <= set(panels)


def test_features_are_refused(tmp_path):
    (tmp_path / "features.json").write_text("{}")
    stage = make_stage("mask_decoder", root=str(tmp_path))
    with pytest.raises(ValueError, match=r"features|records|data set"):
        stage.batch_spec()
