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
from hsmtss_jax.train.interrupt import TryAgainError
from hsmtss_jax.train.lock import lock_workdir
from hsmtss_jax.train.loop import train
from tests.train.poisoned import poisoned
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
    assert outcome.signal == signal.SIGTERM and outcome.saved == outcome.step
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


def steep(**changes):
    """A run in which losses leave their corridor when ``poison`` says so."""
    return longer(steps=90, log_every=10, eval_every=0, save_every=20, keep=2, **changes)


def test_a_spike_is_skipped_and_its_examples_are_written_down(tmp_path):
    config = toy_config(run=steep())
    outcome = train(config, poisoned(config, (75,)), tmp_path, quiet=True)
    assert outcome.finished and int(outcome.state.skipped) == 1
    (told,) = [json.loads(line) for line in (tmp_path / "skipped.jsonl").read_text().splitlines()]
    assert told["step"] == 76 and told["examples"][3] == "clip 75-3"
    assert "the loss of first is" in told["reason"] and "its corridor ends at" in told["reason"]
    row = next(line for line in lines(tmp_path) if line["step"] == 80)
    assert np.isfinite(row["train/first/loss"])


def test_a_streak_that_ends_while_steps_are_in_flight_is_no_reason_to_go_back(tmp_path):
    config = toy_config(run=steep(patience=4))
    outcome = train(config, poisoned(config, range(65, 69)), tmp_path, quiet=True)
    assert outcome.finished and int(outcome.state.skipped) == 4


def test_a_run_of_spikes_is_left_behind(tmp_path):
    """It goes back to the last good checkpoint and on without those batches, resumed or not."""
    config = toy_config(run=steep(patience=6))
    outcome = train(config, poisoned(config, range(65, 73)), tmp_path / "a", quiet=True)
    assert outcome.finished and int(outcome.state.skipped) == 0
    assert Checkpointer(tmp_path / "a").steps() == [80, 90]
    steps = [line["step"] for line in lines(tmp_path / "a")]
    assert steps == sorted(set(steps))
    train(config, poisoned(config, range(65, 73)), tmp_path / "b", quiet=True, stop_at=75)
    again = train(config, poisoned(config, range(65, 73)), tmp_path / "b", quiet=True)
    assert_identical(again.state, outcome.state)


def test_a_diverging_run_keeps_its_good_checkpoints(tmp_path):
    config = toy_config(run=steep(patience=6))
    go(config, tmp_path, stop_at=60)
    wild = {name: dataclasses.replace(optim, lr=1e25) for name, optim in config.optim.items()}
    with pytest.raises(
        FloatingPointError, match="2 times did not help; the last good checkpoint is 60"
    ):
        go(dataclasses.replace(config, optim=wild), tmp_path)
    assert Checkpointer(tmp_path).steps() == [20, 40, 60]
    straight = go(config, tmp_path / "straight")
    assert_identical(go(config, tmp_path).state, straight.state)


def test_gives_up_when_nothing_is_finite(tmp_path):
    class NeverFinite(ToyStage):
        def first_loss(self, inputs):
            loss, report = super().first_loss(inputs)
            return loss * jax.numpy.nan, report

    config = toy_config(run=longer(patience=10))
    stage = NeverFinite(config.stage, config.data)
    with pytest.raises(
        FloatingPointError, match="the loss of first is nan; there is no checkpoint"
    ):
        train(config, stage, tmp_path, quiet=True)
    assert lines(tmp_path)[0]["train/first/loss"] is None
    assert Checkpointer(tmp_path).steps() == []


def test_an_unknown_metric_is_refused_at_the_start(tmp_path):
    config = toy_config(run=longer(best_metric="nonsense"))
    with pytest.raises(ValueError, match=r"'nonsense' is no metric of stage 'toy': .* loss, one"):
        go(config, tmp_path)
    assert not (tmp_path / "checkpoints").exists()


def test_a_second_start_is_refused(tmp_path):
    with lock_workdir(tmp_path), pytest.raises(TryAgainError, match="is being trained by process"):
        go(toy_config(), tmp_path)


@pytest.mark.parametrize(
    ("error", "expected", "text"),
    [
        (
            RuntimeError("Worker process was terminated unexpectedly with exit code -9."),
            TryAgainError,
            "status -9",
        ),
        (ValueError("bad record"), ValueError, "bad record"),
    ],
)
def test_a_failure_of_the_data_saves_what_is_there(tmp_path, error, expected, text):
    config = toy_config()
    with pytest.raises(expected, match=text):
        train(config, poisoned(config, errors={7: error}), tmp_path, quiet=True)
    assert Checkpointer(tmp_path).latest() == 7
    straight = train(config, poisoned(config), tmp_path / "straight", quiet=True)
    resumed = train(config, poisoned(config), tmp_path, quiet=True)
    assert_identical(straight.state, resumed.state)


def test_batch_must_fit_the_mesh(tmp_path):
    config = toy_config(run=longer(accumulate=3), mesh=MeshConfig(data=4))
    with pytest.raises(ValueError, match=r"multiple of devices x run\.accumulate = 4 x 3"):
        go(config, tmp_path)
