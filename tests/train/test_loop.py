"""The loop: it learns, stops, resumes bit for bit, and leaves a bundle."""

import dataclasses
import json
import os
import signal

import jax
import numpy as np
import pytest

from hsmtss_jax.bundles.bundle import load_bundle
from hsmtss_jax.config import MeshConfig
from hsmtss_jax.train.checkpoint import Checkpointer
from hsmtss_jax.train.loop import train
from tests.train.toy import ToyModelConfig, ToyStage, ToyStageConfig, toy_config, toy_stage


def go(config, workdir, **options):
    return train(config, toy_stage(config), workdir, quiet=True, **options)


def lines(workdir) -> list[dict]:
    return [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]


def assert_identical(tree, other):
    jax.tree.map(np.testing.assert_array_equal, jax.device_get(tree), jax.device_get(other))


def longer(**changes):
    return dataclasses.replace(toy_config().run, **changes)


def test_training_learns_and_leaves_a_bundle(tmp_path):
    optim = dataclasses.replace(toy_config().optim["first"], lr=0.05, ema=0.5)
    config = toy_config(
        run=longer(steps=80, log_every=20, eval_every=40, save_every=40),
        optim={"first": optim, "second": optim},
    )
    outcome = go(config, tmp_path)
    logged = [line for line in lines(tmp_path) if "train/first/loss" in line]
    assert outcome.finished and outcome.step == 80
    assert logged[-1]["train/first/loss"] < 0.3 * logged[0]["train/first/loss"]
    bundle = load_bundle(tmp_path / "bundle")
    assert bundle.stage == "toy" and bundle.config["model"]["width"] == 8
    assert_identical(bundle.params["net"], outcome.state.ema["first"])
    assert outcome.validation["one"] == 1.0
    assert list((tmp_path / "tensorboard").iterdir())


def test_resume_equals_a_straight_run(tmp_path):
    config = toy_config()
    straight = go(config, tmp_path / "straight")
    stopped = go(config, tmp_path / "resumed", stop_at=7)
    assert (stopped.step, stopped.finished) == (7, False)
    resumed = go(config, tmp_path / "resumed")
    assert_identical(straight.state, resumed.state)
    assert straight.validation == resumed.validation
    digests = [load_bundle(tmp_path / run / "bundle").digest for run in ("straight", "resumed")]
    assert digests[0] == digests[1]


def test_resume_restores_freeze_and_average(tmp_path):
    """Masked optimiser state and the EMA go through a checkpoint; another mesh may read it."""
    optim = dataclasses.replace(toy_config().optim["first"], freeze="^hidden/", ema=0.9)
    config = toy_config(optim={"first": optim, "second": optim}, run=longer(steps=6, eval_every=0))
    straight = go(config, tmp_path / "straight")
    go(config, tmp_path / "resumed", stop_at=3)
    resumed = go(dataclasses.replace(config, mesh=MeshConfig(data=2, fsdp=2)), tmp_path / "resumed")
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6),
        jax.device_get(straight.state),
        jax.device_get(resumed.state),
    )


def test_a_finished_run_is_left_as_it_is(tmp_path):
    config = toy_config(run=longer(steps=4, eval_every=0))
    first = go(config, tmp_path)
    again = go(config, tmp_path)
    assert again.finished and again.step == 4
    assert_identical(first.state, again.state)


def test_signal_saves_and_stops(tmp_path):
    class Interrupted(ToyStage):
        def dataset(self, split, shard, seed):
            return super().dataset(split, shard, seed).map(self._signal)

        def _signal(self, batch):
            self.drawn = getattr(self, "drawn", 0) + 1
            if self.drawn == 3:
                os.kill(os.getpid(), signal.SIGTERM)
            return batch

    config = toy_config()
    former = signal.getsignal(signal.SIGTERM)
    outcome = train(config, Interrupted(config.stage, config.data), tmp_path, quiet=True)
    assert not outcome.finished and outcome.step in (2, 3, 4)
    assert Checkpointer(tmp_path).latest() == outcome.step
    assert signal.getsignal(signal.SIGTERM) == former
    assert not (tmp_path / "bundle").exists()


def test_refuses_the_workdir_of_another_run(tmp_path):
    config = toy_config(run=longer(steps=4, eval_every=0))
    go(config, tmp_path, stop_at=1)
    other = dataclasses.replace(config, stage=ToyStageConfig(model=ToyModelConfig(width=4)))
    with pytest.raises(ValueError, match=r"stage\.model\.width=8, not 4: choose another --workdir"):
        go(other, tmp_path)
    reseeded = dataclasses.replace(config, run=dataclasses.replace(config.run, seed=1))
    with pytest.raises(ValueError, match=r"run\.seed=0, not 1"):
        go(reseeded, tmp_path)
    faster = {name: dataclasses.replace(optim, lr=0.5) for name, optim in config.optim.items()}
    assert go(dataclasses.replace(config, optim=faster), tmp_path).finished


def test_keeps_the_last_and_the_best(tmp_path):
    run = longer(steps=6, save_every=1, eval_every=2, keep=1, best_metric="score")

    class Scored(ToyStage):
        """Worse from pass to pass."""

        def eval_metrics(self, inputs):
            return {"score": jax.numpy.full(inputs.batch["y"].shape, inputs.aux["count"])}

    config = toy_config(run=run)
    train(config, Scored(config.stage, config.data), tmp_path, quiet=True)
    checkpointer = Checkpointer(tmp_path)
    assert checkpointer.steps() == [2, 6] and checkpointer.best() == 2
    checkpointer.close()


def test_gives_up_when_nothing_is_finite(tmp_path):
    class NeverFinite(ToyStage):
        def first_loss(self, inputs):
            loss, report = super().first_loss(inputs)
            return loss * jax.numpy.nan, report

        def second_loss(self, inputs):
            loss, report = super().second_loss(inputs)
            return loss * jax.numpy.nan, report

    config = toy_config()
    with pytest.raises(FloatingPointError, match="no finite gradient in the last 10 steps"):
        stage = NeverFinite(config.stage, config.data)
        train(config, stage, tmp_path, quiet=True, max_nonfinite_steps=10)
    assert lines(tmp_path)[0]["train/first/loss"] is None


def test_batch_must_fit_the_mesh(tmp_path):
    config = toy_config(run=longer(accumulate=3), mesh=MeshConfig(data=4))
    with pytest.raises(ValueError, match=r"multiple of devices x run\.accumulate = 4 x 3"):
        go(config, tmp_path)
