"""AudioMAE's stage at its tiny size."""

import dataclasses
import functools
import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from hsmtss_jax.config import Shard, load_config
from hsmtss_jax.stages.audio_mae import roll_and_gain
from hsmtss_jax.testing.bundles import make_stage, step_input
from hsmtss_jax.testing.corpus import write_tiny_corpus
from hsmtss_jax.train.optim import make_schedule, paths
from hsmtss_jax.train.stage import StepInput

BATCH = 4


@functools.cache
def stage_and_params():
    stage = make_stage("audio_mae", batch_size=BATCH)
    return stage, jax.jit(stage.init)(jax.random.key(0), sounds(), {})[0]


def sounds():
    t = np.arange(40_960) / 16_000
    tones = [0.3 * np.sin(2 * np.pi * f * t) for f in (200, 500, 1000, 3000)]
    return {
        "audio": jnp.asarray(tones, jnp.float32),
        "length": jnp.full((BATCH,), 40_960, jnp.int32),
    }


def test_loss_falls():
    stage, params = stage_and_params()
    objective = stage.objectives()["model"]
    optimizer = optax.adam(3e-3)

    @jax.jit
    def step(params, state, key):
        def loss(params):
            inputs = StepInput(params, {}, {}, sounds(), key, jnp.zeros((), jnp.int32))
            return objective(inputs)[0]

        value, grad = jax.value_and_grad(loss)(params)
        update, state = optimizer.update(grad, state)
        return optax.apply_updates(params, update), state, value

    state, losses = optimizer.init(params), []
    for i in range(30):
        params, state, loss = step(params, state, jax.random.key(i))
        losses.append(float(loss))
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:3])


def test_eval_is_per_example_and_repeatable():
    stage, params = stage_and_params()
    a, b = (jax.jit(stage.eval_metrics)(step_input(stage, params, sounds())) for _ in range(2))
    assert {x.shape for x in a.values()} == {(BATCH,)}
    np.testing.assert_array_equal(a["masked_mse"], b["masked_mse"])


def test_release_keeps_the_encoder_and_panels_are_images():
    stage, params = stage_and_params()
    assert set(stage.release(params, {})) == {"encoder"}
    panels = stage.panels(step_input(stage, params, sounds()))
    assert {panel.value.shape for panel in panels.values()} == {(128, 256)}


def test_roll_and_gain_keeps_the_sound():
    x = jax.random.normal(jax.random.key(0), (3, 50))
    y = roll_and_gain(jax.random.key(1), x)
    gain = np.linalg.norm(y, axis=1) / np.linalg.norm(x, axis=1)
    assert np.all((gain > 0.5) & (gain < 1.5)) and len(set(gain)) == 3
    np.testing.assert_allclose(np.sort(y / gain[:, None]), np.sort(x), atol=1e-5)
    assert not np.allclose(y / gain[:, None], x)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_dataset_fits_the_batch_spec(split, tmp_path):
    stage, _ = stage_and_params()
    data = dataclasses.replace(stage.data, root=str(write_tiny_corpus(tmp_path)))
    stage = type(stage)(stage.config, data)
    batch = next(iter(stage.dataset(split, Shard(), 0)))
    spec = stage.batch_spec()
    assert {k: (v.shape, v.dtype) for k, v in batch.items()} == {
        k: (v.shape, v.dtype) for k, v in spec.items()
    }


def test_paper_size_is_the_reference_recipe():
    """AudioMAE's: 32 epochs of 2 M clips at 512, three of them to warm up, then a cosine to zero."""
    config = load_config("audio_mae", "paper")
    optim, run, stage = config.optim["model"], config.run, config.stage
    assert (config.data.batch_size, stage.samples, stage.norm_pix) == (512, 160_000, False)
    assert stage.roll_and_gain and not config.data.augment
    assert config.data.balance == 0 and config.data.short_clips == "pad"
    assert (optim.b1, optim.b2, optim.weight_decay, optim.clip, optim.ema) == (
        0.9,
        0.95,
        1e-4,
        1,
        0,
    )
    epoch = 2_032_320 / 512
    assert abs(run.steps / epoch - 32) < 0.1 and abs(optim.warmup_steps / epoch - 3) < 0.1
    rate = make_schedule(optim, run.steps)
    warm = optim.warmup_steps
    half = (warm + run.steps) // 2
    np.testing.assert_allclose(rate(warm // 2 - 1), 2e-4, rtol=1e-3)
    np.testing.assert_allclose(
        [rate(warm), rate(half), rate(run.steps)], [4e-4, 2e-4, 0], atol=1e-7
    )
    params = jax.eval_shape(
        make_stage("audio_mae", "paper").init,
        jax.random.key(0),
        {"audio": jnp.zeros((1, 160_000))},
        {},
    )[0]["model"]
    decays = {name for name in paths(params) if not re.search(optim.decay_exclude, name)}
    kernels = {name for name in paths(params) if name.endswith("kernel")}
    assert kernels <= decays and not any(name.endswith(("bias", "scale")) for name in decays)
