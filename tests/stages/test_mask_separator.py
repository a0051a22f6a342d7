"""The mask baseline's stage at its tiny size, and the release as a system to compare with."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from hsmtss_jax.bundles.bundle import Bundle, save_bundle
from hsmtss_jax.bundles.pipeline import PipelineConfig, assemble
from hsmtss_jax.config import Shard
from hsmtss_jax.conversion import to_dict
from hsmtss_jax.data.recipe import EXTRACT, REMOVE
from hsmtss_jax.inference import Separator
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.stages.mask_separator import of_task, sdr
from hsmtss_jax.task import TASKS
from hsmtss_jax.testing.bundles import draw, frozen_params, make_stage, step_input, zero_batch
from hsmtss_jax.testing.corpus import write_tiny_corpus
from hsmtss_jax.train.stage import StepInput

BATCH = 2


@pytest.fixture(scope="module")
def stage():
    return make_stage("mask_separator", batch_size=BATCH)


@pytest.fixture(scope="module")
def batch(stage):
    """Low and high noise in one; the description is of the other sound in the second example."""
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
    }


@pytest.fixture(scope="module")
def trained(stage, batch):
    """(params, aux, losses) after a few steps on one batch."""
    frozen = frozen_params(stage)
    shapes = jax.eval_shape(stage.init, jax.random.key(0), zero_batch(stage), frozen)
    params, aux = draw(shapes, "mask_separator")
    optimizer = optax.adam(3e-3)

    @jax.jit
    def step(model, aux, opt_state):
        def loss(model):
            inputs = StepInput(
                params={"model": model},
                aux=aux,
                frozen=frozen,
                batch=batch,
                key=jax.random.key(0),
                step=jnp.int32(0),
            )
            return stage.objectives()["model"](inputs)

        (value, report), grads = jax.value_and_grad(loss, has_aux=True)(model)
        updates, opt_state = optimizer.update(grads, opt_state)
        return optax.apply_updates(model, updates), report.aux, opt_state, value

    model, opt_state, losses = params["model"], optimizer.init(params["model"]), []
    for _ in range(20):
        model, aux, opt_state, value = step(model, aux, opt_state)
        losses.append(float(value))
    return {"model": model}, aux, losses


@pytest.fixture(scope="module")
def evaluated(stage, batch, trained):
    """A compiled batch -> (metrics, estimate)."""
    params, aux, _ = trained

    @jax.jit
    def evaluate(batch):
        inputs = step_input(stage, params, batch, aux=aux)
        return stage.eval_metrics(inputs), stage.estimate(inputs)

    return evaluate


def test_a_few_steps_on_one_batch_lower_the_loss(trained):
    losses = trained[2]
    assert np.all(np.isfinite(losses)) and losses[-1] < 0.8 * losses[0], losses


def test_eval_metrics_are_per_example(batch, evaluated):
    metrics, estimate = evaluated(batch)
    assert set(metrics) == {"loss", "l1_mixture", "sdr", "sdr_mixture"}
    for value in metrics.values():
        assert value.shape == (BATCH,) and np.all(np.isfinite(value))
    expected = np.abs(estimate - batch["target"]).mean(axis=1)
    np.testing.assert_allclose(metrics["loss"], expected, rtol=1e-5)


def test_what_stands_in_padded_places_of_the_text_does_not_matter(batch, evaluated):
    other = jnp.where(batch["text_mask"], batch["text_ids"], 7)
    estimate = evaluated({**batch, "text_ids": other})[1]
    np.testing.assert_allclose(estimate, evaluated(batch)[1], atol=1e-6)


def test_extracting_and_removing_add_up_to_the_mixture(batch, evaluated):
    opposite = {**batch, "task": 1 - batch["task"]}
    both = evaluated(batch)[1] + evaluated(opposite)[1]
    np.testing.assert_allclose(both, batch["mixture"], atol=1e-6)
    described = 0.5 * batch["mixture"][:, :4]
    kept = of_task(described, batch["mixture"][:, :4], jnp.asarray([REMOVE, REMOVE]))
    np.testing.assert_allclose(kept, described, atol=1e-7)


def test_sdr_in_decibels():
    target = jnp.asarray([[1.0, -1.0], [1.0, -1.0], [0.0, 0.0]])
    estimate = jnp.asarray([[0.9, -0.9], [0.0, 0.0], [0.0, 0.0]])
    np.testing.assert_allclose(sdr(estimate, target), [20.0, 0.0, 0.0], atol=1e-4)


def test_the_release_is_a_system_like_any_other(stage, trained, tmp_path):
    params, aux, _ = trained
    encoder = stage.upstream["text_encoder"]
    bundle = Bundle(
        stage="mask_separator",
        config=to_dict(stage.config),
        params=jax.device_get(stage.release(params, aux)),
        upstream={"text_encoder": encoder.digest},
    )
    folders = {}
    for role, each in (("text_encoder", encoder), ("mask_separator", bundle)):
        folders[role] = str(tmp_path / role)
        save_bundle(folders[role], each)
    config = PipelineConfig(bundles=folders, separator="mask_separator")
    separator = Separator.from_pretrained(assemble(config, tmp_path / "pipeline"))
    mixture = 0.1 * np.random.default_rng(1).normal(size=5000).astype(np.float32)
    asked = [Instruction(task, "a bell") for task in TASKS]
    (found,) = separator.separate_many([mixture], asked, sample_rate=16_000)
    np.testing.assert_allclose(found[0].target + found[1].target, mixture[:, None], atol=1e-6)


def test_panels(stage, batch, trained):
    params, aux, _ = trained
    panels = stage.panels(step_input(stage, params, batch, aux=aux))
    kinds = {name: panel.kind for name, panel in panels.items()}
    assert kinds == {
        f"{name}_{what}": kind
        for name in ("mixture", "estimate", "target")
        for what, kind in (("spectrogram", "image"), ("audio", "audio"))
    }
    assert panels["estimate_audio"].value.shape == (stage.config.samples,)


def test_data_set_gives_what_the_batch_spec_says(tmp_path):
    stage = make_stage("mask_separator", batch_size=BATCH, root=str(write_tiny_corpus(tmp_path)))
    batch = next(iter(stage.dataset("validation", Shard(), 0)))
    assert {name: (x.shape, x.dtype) for name, x in batch.items()} == {
        name: (x.shape, x.dtype) for name, x in stage.batch_spec().items()
    }
