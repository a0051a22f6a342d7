"""Starting from a bundle: what is taken, what is refused, and that a resumed run does not start again."""

import dataclasses

import jax
import numpy as np
import pytest

from hsmtss_jax.bundles.bundle import Bundle, load_bundle, save_bundle
from hsmtss_jax.bundles.importers.mw_mae import import_mw_mae, mw_mae_config, mw_mae_state
from hsmtss_jax.config import DataConfig, ExperimentConfig, MeshConfig, OptimConfig, RunConfig
from hsmtss_jax.models.audio_mae import AudioMAEConfig
from hsmtss_jax.stages.audio_mae import AudioMAEStage, AudioMAEStageConfig
from hsmtss_jax.train.loop import train
from hsmtss_jax.train.plan import prepare
from hsmtss_jax.train.warm_start import warm_start
from tests.bundles.importers.synthetic import DEPTH, HEADS, WIDTH, mw_mae_params
from tests.train.toy import toy_config, toy_stage


def weights(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "net": {
            "hidden": {"kernel": rng.normal(size=(4, 8)), "bias": rng.normal(size=8)},
            "out": {"kernel": rng.normal(size=(8, 1)), "bias": rng.normal(size=1)},
        }
    }


def bundle_of(params):
    params = jax.tree.map(np.float32, params)
    return Bundle(stage="toy", config={"name": "toy", "model": {"width": 9}}, params=params)


def drawn_state(plan):
    """A state of random numbers, without compiling the stage's ``init``."""
    rng = np.random.default_rng(1)
    values = jax.tree.map(lambda x: rng.normal(size=x.shape).astype(x.dtype), plan.shapes)
    return jax.device_put(values, plan.shardings)


@pytest.fixture(scope="module")
def plan_and_state():
    optim = dataclasses.replace(toy_config().optim["first"], ema=0.5)
    config = toy_config(optim={"first": optim, "second": optim}, mesh=MeshConfig(data=2))
    plan = prepare(config, toy_stage(config))
    return plan, drawn_state(plan)


def start(plan_and_state, params, match=""):
    plan, state = plan_and_state
    return warm_start(state, plan.shardings, plan.stage, bundle_of(params), match)


def assert_equal(tree, other):
    jax.tree.map(np.testing.assert_array_equal, jax.device_get(tree), jax.device_get(other))


def test_released_tensors_go_back_to_where_they_came_from(plan_and_state):
    _, state = plan_and_state
    started = start(plan_and_state, weights())
    expected = jax.tree.map(np.float32, weights()["net"])
    assert_equal(started.state.params["first"], expected)
    assert_equal(started.state.ema["first"], expected)
    assert_equal(started.state.params["second"], state.params["second"])
    assert_equal(started.state.opt_state, state.opt_state)
    assert (started.taken, started.fresh, started.unused) == (4, ("second",), ())


def test_a_part_can_be_taken(plan_and_state):
    _, state = plan_and_state
    started = start(plan_and_state, weights(), "hidden/")
    assert_equal(started.state.params["first"]["out"], state.params["first"]["out"])
    assert started.fresh == ("first/out", "second") and started.unused == ("net/out",)


def test_what_does_not_fit_is_named(plan_and_state):
    wide = weights()
    wide["net"]["hidden"]["kernel"] = np.zeros((4, 9))
    with pytest.raises(ValueError, match=r"net/hidden/kernel of toy has shape \(4, 9\).*\(4, 8\)"):
        start(plan_and_state, wide)
    assert start(plan_and_state, wide, "out/").taken == 2
    with pytest.raises(ValueError, match="toy has net/gate/scale, which this run has not"):
        start(plan_and_state, {"net": {**weights()["net"], "gate": {"scale": np.ones(1)}}})
    with pytest.raises(ValueError, match="'decoder' finds no tensor; one is 'net/hidden/bias'"):
        start(plan_and_state, weights(), "decoder")
    with pytest.raises(ValueError, match="not a regular expression"):
        start(plan_and_state, weights(), "(")


def test_a_run_starts_from_a_bundle_once(tmp_path, capsys):
    source = save_bundle(tmp_path / "source", bundle_of(weights()))
    run = dataclasses.replace(
        toy_config().run, steps=4, eval_every=0, save_every=2, init_from=str(tmp_path / "source")
    )
    still = OptimConfig(lr=0.0, weight_decay=0.0)
    config = toy_config(run=run, optim={"first": still, "second": still})

    def go(workdir, **options):
        return train(config, toy_stage(config), workdir, **options)

    go(tmp_path / "run", stop_at=2)
    said = capsys.readouterr().out
    assert f"started from toy {source.digest[:12]}: 4 tensors" in said
    assert "initialised afresh: second" in said and "model.width: 9, here 8" in said
    (tmp_path / "source" / "bundle.json").unlink()  # a resumed run does not need it
    resumed = go(tmp_path / "run", quiet=True)
    assert resumed.finished and "started" not in capsys.readouterr().out
    bundle = load_bundle(tmp_path / "run" / "bundle")
    assert_equal(bundle.params, jax.tree.map(np.float32, weights()))
    assert bundle.meta["init_from"] == source.digest
    other = dataclasses.replace(config, run=dataclasses.replace(run, init_from="elsewhere"))
    with pytest.raises(ValueError, match=r"run\.init_from="):
        train(other, toy_stage(other), tmp_path / "run", quiet=True)


def test_blocks_of_mw_mae_start_a_pre_training():
    state = mw_mae_state(mw_mae_params())
    config = mw_mae_config(state, HEADS)
    blocks = Bundle(stage="mw_mae", config={}, params=import_mw_mae(config, state))
    model = AudioMAEConfig(
        frames=32,
        width=WIDTH,
        depth=DEPTH,
        heads=HEADS,
        decoder_width=8,
        decoder_depth=1,
        decoder_windows=(4, 0),
    )
    experiment = ExperimentConfig(
        stage=AudioMAEStageConfig(model=model, samples=4000),
        data=DataConfig(batch_size=2),
        optim={"model": OptimConfig()},
        mesh=MeshConfig(data=1),
        run=RunConfig(steps=1),
    )
    plan = prepare(experiment, AudioMAEStage(experiment.stage, experiment.data))
    started = warm_start(drawn_state(plan), plan.shardings, plan.stage, blocks)
    encoder = started.state.params["model"]["encoder"]
    assert_equal(encoder["transformer"], blocks.params["encoder"]["transformer"])
    assert started.fresh == ("model/decoder", "model/encoder/patch_embed")
