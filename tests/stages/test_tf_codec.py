"""The codec's stage: a step of the generic trainer, the two phases, evaluation, release."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from hsmtss_jax import dist
from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.config import SIZES, MeshConfig, load_config
from hsmtss_jax.conversion import from_json, to_json
from hsmtss_jax.losses.adversarial import (
    discriminator_loss,
    feature_matching_loss,
    generator_loss,
)
from hsmtss_jax.losses.codec import mel_error, power_compressed_error, rate_loss
from hsmtss_jax.models.tf_codec.discriminator import DiscriminatorConfig
from hsmtss_jax.models.tf_codec.model import TFCodecConfig
from hsmtss_jax.stages.tf_codec import TFCodecStage, TFCodecStageConfig, temperature
from hsmtss_jax.testing.bundles import build_stage, step_input
from hsmtss_jax.train.optim import make_optimizer
from hsmtss_jax.train.stage import StepInput
from hsmtss_jax.train.state import create_state
from hsmtss_jax.train.step import make_step

START = 6


@pytest.fixture(scope="module")
def trained():
    """(stage, states, metrics) of 8 steps on one batch; the discriminator starts at START."""
    experiment = load_config("tf_codec_adversarial", "tiny")
    stage = TFCodecStage(
        dataclasses.replace(
            experiment.stage,
            model=TFCodecConfig(
                channels=(4, 4, 4, 4),
                tcm_hidden=8,
                tcm_dilations=(1,),
                latent=16,
                groups=2,
                codes=8,
            ),
            discriminator=DiscriminatorConfig(hops=(64,), hidden=(32,)),
            samples=2_000,
            adversarial_start=START,
        ),
        dataclasses.replace(experiment.data, batch_size=2),
    )
    batch = _batch(stage)
    params, aux = jax.jit(lambda k, b: stage.init(k, b, {}))(jax.random.key(0), batch)
    groups = {g: dataclasses.replace(o, lr=1e-3) for g, o in experiment.optim.items()}
    optimizers = {g: make_optimizer(groups[g], params[g], 8) for g in stage.objectives()}
    state = create_state(params, aux, optimizers, set())
    step = jax.jit(make_step(stage.objectives(), optimizers, groups, 8))
    states, metrics = [state], []
    for _ in range(START + 2):
        state, values = step(state, batch, {}, jax.random.key(1))
        states.append(state)
        metrics.append(jax.device_get(values))
    return stage, batch, states, metrics


def _batch(stage: TFCodecStage) -> dict[str, jax.Array]:
    spec = stage.batch_spec()
    time = jnp.arange(stage.config.samples) / 16_000
    tone = 0.2 * jnp.sin(2 * jnp.pi * 440 * time)
    audio = jnp.broadcast_to(tone[None], spec["audio"].shape)
    return {"audio": audio, "length": jnp.full(spec["length"].shape, audio.shape[1], jnp.int32)}


def test_the_generator_learns(trained):
    _, _, _, metrics = trained
    assert metrics[START - 1]["generator/loss"] < metrics[0]["generator/loss"]
    assert all(np.isfinite(value) for values in metrics for value in values.values())
    assert metrics[-1]["skipped"] == 0


def test_the_discriminator_rests_before_its_start_and_trains_after(trained):
    _, _, states, metrics = trained
    assert metrics[START - 1]["generator/adversarial"] == 0.0
    assert metrics[START - 1]["discriminator/loss"] == 0.0
    before, at_start, after = (
        jax.device_get(s.params["discriminator"]) for s in (states[0], states[START], states[-1])
    )
    jax.tree.map(np.testing.assert_array_equal, before, at_start)
    assert any(
        np.abs(a - b).max() > 0
        for a, b in zip(jax.tree.leaves(after), jax.tree.leaves(at_start), strict=True)
    )
    assert metrics[START]["generator/adversarial"] > 0.0
    assert metrics[START]["discriminator/lsgan"] > 0.0


def test_the_first_phase_has_no_discriminator(trained):
    stage, batch, *_ = trained
    alone = TFCodecStage(
        dataclasses.replace(stage.config, adversarial_start=None), stage.data, stage.upstream
    )
    params, aux = jax.eval_shape(lambda b: alone.init(jax.random.key(0), b, {}), batch)
    assert set(params) == set(alone.objectives()) == {"generator"}
    inputs = _inputs(params, aux, batch)
    _, report = jax.eval_shape(alone.objectives()["generator"], inputs)
    assert "adversarial" not in report.metrics and "spectral" in report.metrics


def _inputs(params, aux, batch):
    key, step = jax.eval_shape(lambda: (jax.random.key(0), jnp.int32(0)))
    return StepInput(params=params, aux=aux, frozen={}, batch=batch, key=key, step=step)


def test_the_second_phase_starts_from_the_first_one_s_bundle(trained):
    stage, batch, states, _ = trained
    release = jax.device_get(stage.release(states[-1].params, states[-1].aux))
    start = Bundle("tf_codec", {"model": dataclasses.asdict(stage.config.model)}, release)
    plain = dataclasses.replace(stage.config, adversarial_start=None)  # no discriminator to draw
    second = TFCodecStage(plain, stage.data, {"initial_codec": start})
    params, aux = second.init(jax.random.key(5), batch, {"initial_codec": release})
    jax.tree.map(np.testing.assert_array_equal, params["generator"], release["params"])
    jax.tree.map(np.testing.assert_array_equal, aux["batch_stats"], release["batch_stats"])
    assert "initial_codec" in second.init_only_names
    other = dataclasses.replace(
        stage.config, model=dataclasses.replace(stage.config.model, codes=4)
    )
    with pytest.raises(ValueError, match=r"stage\.model\.codes=4, but the upstream bundle has 8"):
        TFCodecStage(other, stage.data, {"initial_codec": start})
    with pytest.raises(ValueError, match="is a bundle of gpt2"):
        wrong = dataclasses.replace(start, stage="gpt2")
        TFCodecStage(stage.config, stage.data, {"initial_codec": wrong})


@pytest.mark.parametrize("size", SIZES)
def test_the_second_phase_s_config(size):
    config = load_config("tf_codec_adversarial", size)
    assert from_json(to_json(config), TFCodecStageConfig) == config
    assert config.stage.model is None
    with pytest.raises(ValueError, match=r"stage\.model is none: give upstream\.initial_codec"):
        TFCodecStage(config.stage, config.data)
    stage = build_stage(config, size, abstract=True)
    assert stage.config.model == load_config("tf_codec", size).stage.model
    params, _ = jax.eval_shape(lambda b: stage.init(jax.random.key(0), b, {}), stage.batch_spec())
    assert set(params) == set(stage.objectives()) == set(config.optim)
    if size == "paper":
        judge = sum(leaf.size for leaf in jax.tree.leaves(params["discriminator"]))
        assert judge == 5_256_372
        assert (config.optim["generator"].lr, config.optim["discriminator"].lr) == (3e-5, 3e-4)
        assert all(optim.clip_per_tensor for optim in config.optim.values())


def reference_step(stage, experiment, state, batch, key):
    """A step written out: the codec decodes, the discriminator learns, the codec learns from the new one."""
    cfg, groups = stage.config, experiment.optim
    optimizers = {g: make_optimizer(groups[g], state.params[g], 8) for g in groups}
    codec, judge = cfg.model.make(), cfg.discriminator.make()
    real = batch["audio"]

    def decode(params):
        return codec.apply(
            {"params": params, "batch_stats": state.aux["batch_stats"]},
            real,
            key=jax.random.fold_in(jax.random.fold_in(key, state.step), 0),
            tau=temperature(state.step, cfg),
            train=True,
            mutable=["batch_stats"],
        )

    def judged(params, audio):
        return judge.apply({"params": params}, audio)

    def of_discriminator(params):
        fake = jax.lax.stop_gradient(decode(state.params["generator"])[0].audio)
        lsgan = discriminator_loss(judged(params, real).scores, judged(params, fake).scores)
        squares = sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(params))
        return lsgan + 0.5 * cfg.discriminator_l2 * squares

    def update(group, grads):
        change, _ = optimizers[group].update(grads, state.opt_state[group], state.params[group])
        return optax.apply_updates(state.params[group], change)

    updated = update("discriminator", jax.grad(of_discriminator)(state.params["discriminator"]))

    def of_generator(params):
        out, _ = decode(params)
        of_real, of_fake = judged(updated, real), judged(updated, out.audio)
        return (
            cfg.spectral_weight * jnp.mean(power_compressed_error(out.audio, real))
            + cfg.mel_weight * jnp.mean(mel_error(out.audio, real))
            + cfg.entropy_weight * rate_loss(out.quantized.usage, cfg.entropy_target)
            + cfg.adversarial_weight * generator_loss(of_fake.scores)
            + cfg.feature_weight * feature_matching_loss(of_real.features, of_fake.features)
        )

    grads = jax.grad(of_generator)(state.params["generator"])
    return {"discriminator": updated, "generator": update("generator", grads)}, grads


def test_the_discriminator_is_updated_first_and_the_codec_sees_it(trained):
    stage, batch, states, metrics = trained
    experiment = load_config("tf_codec_adversarial", "tiny")
    optim = {g: dataclasses.replace(o, lr=1e-3) for g, o in experiment.optim.items()}
    experiment = dataclasses.replace(experiment, optim=optim)
    assert list(stage.objectives()) == ["discriminator", "generator"]
    state, key = states[START], jax.random.key(1)
    step = functools.partial(reference_step, stage, experiment)
    expected, grads = jax.jit(step)(state, batch, key)
    after = states[START + 1].params
    for group, tree in expected.items():
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=2e-5), after[group], tree)
    norm = optax.tree.norm(grads)
    np.testing.assert_allclose(metrics[START]["generator/grad_norm"], norm, rtol=1e-3)


def test_accumulating_shares_the_passes_too(trained):
    """Two equal halves give the gradient of one of them; each part's pass is replayed with its own."""
    stage, batch, states, _ = trained
    groups = load_config("tf_codec_adversarial", "tiny").optim
    optimizers = {g: make_optimizer(groups[g], states[0].params[g], 8) for g in groups}
    step = jax.jit(make_step(stage.objectives(), optimizers, groups, 8, accumulate=2))
    state, values = step(states[START], batch, {}, jax.random.key(1))
    assert all(np.isfinite(value) for value in values.values())
    assert values["generator/adversarial"] > 0 and int(state.skipped) == 0


def test_statistics_are_those_of_the_global_batch(trained):
    """Four devices with two clips each give the loss and statistics of one with eight."""
    stage, _, states, _ = trained
    state = jax.device_get(states[0])
    rng = np.random.default_rng(3)
    loud = np.logspace(-2, 0, 8)[:, None]  # no two devices have the same statistics
    audio = (loud * rng.normal(size=(8, 2_000))).astype(np.float32)
    batch = {"audio": audio, "length": np.full(8, 2_000, np.int32)}
    alone = TFCodecStage(dataclasses.replace(stage.config, adversarial_start=None), stage.data)

    @jax.jit
    def run(params, batch):
        inputs = StepInput(
            params={"generator": params},
            aux=state.aux,
            frozen={},
            batch=batch,
            key=jax.random.key(0),
            step=jnp.int32(0),
        )
        value, report = alone.objectives()["generator"](inputs)
        return value, report.aux

    found = []
    for devices in (1, 4):
        mesh = dist.make_mesh(MeshConfig(data=devices))
        params = dist.replicate(mesh, state.params["generator"])
        found.append(jax.device_get(run(params, dist.put_batch(mesh, batch))))
    one, four = found
    np.testing.assert_allclose(one[0], four[0], rtol=1e-4)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-4), one[1], four[1])


def test_statistics_move(trained):
    _, _, states, _ = trained
    first, last = (s.aux["batch_stats"]["encoder"]["conv0"]["post"]["norm"] for s in states[::8])
    assert float(jnp.abs(first["mean"] - last["mean"]).max()) > 0


def test_evaluation_is_per_example(trained):
    stage, batch, states, _ = trained
    state = states[-1]
    metrics = jax.jit(stage.eval_metrics)(step_input(stage, state.params, batch, aux=state.aux))
    names = {"spectral", "mel", "lsd", "raw_kbps", "entropy_kbps"}
    assert {name: value.shape for name, value in metrics.items()} == dict.fromkeys(names, (2,))
    assert all(bool(jnp.isfinite(value).all()) for value in metrics.values())
    np.testing.assert_allclose(metrics["raw_kbps"], 2 * 3 * 50 / 1000)
    assert 0 < float(metrics["entropy_kbps"].min()) <= float(metrics["entropy_kbps"].max()) < 1.0


def test_both_bit_rates_are_reported_while_training(trained):
    _, _, states, metrics = trained
    last = metrics[-1]
    np.testing.assert_allclose(last["generator/raw_kbps"], 2 * 3 * 50 / 1000)
    rate = last["generator/code_bits"] * 2 * 50 / 1000
    np.testing.assert_allclose(last["generator/entropy_kbps"], rate, rtol=1e-5)
    usage = states[-1].aux["code_usage"]
    np.testing.assert_allclose(usage.sum(-1), 1.0, atol=1e-5)
    assert float(jnp.abs(usage - 1 / 8).max()) > 1e-3


def test_release_encodes_without_the_stage(trained):
    stage, batch, states, _ = trained
    release = stage.release(states[-1].params, states[-1].aux)
    codec = stage.config.model.make()
    tokens = jax.jit(lambda v, x: codec.apply(v, x, method="encode"))(release, batch["audio"])
    assert tokens.shape == (2, stage.config.model.token_frames(2_000), 2)


def test_panels_show_original_and_decoded(trained):
    stage, batch, states, _ = trained
    state = states[-1]
    panels = stage.panels(step_input(stage, state.params, batch, aux=state.aux))
    assert panels["decoded_audio"].value.shape == (2_000,)
    assert panels["original_spectrogram"].value.shape == panels["decoded_spectrogram"].value.shape


def test_temperature_falls_to_its_floor():
    config = TFCodecStageConfig()
    assert float(temperature(0, config)) == 2.0
    np.testing.assert_allclose(temperature(514_000, config), 2.0 * 0.9999995**514_000, rtol=1e-4)
    assert float(temperature(10_000_000, config)) == 0.5
