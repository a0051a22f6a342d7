"""Runs opened again from their checkpoints."""

import dataclasses

import jax
import numpy as np
import pytest

from hsmtss_jax.train.loop import train
from hsmtss_jax.train.run import open_run
from tests.train.toy import ToyStage, toy_config, toy_stage


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    run = dataclasses.replace(toy_config().run, steps=3, save_every=1, eval_every=2, keep=3)
    config = toy_config(run=run)
    folder = tmp_path_factory.mktemp("run")
    train(config, toy_stage(config), folder, quiet=True)
    return folder


def classes(name):
    assert name == "toy"
    return ToyStage


def test_a_run_is_opened_at_any_of_its_steps(workdir):
    opened = {step: open_run(workdir, classes, step) for step in ("latest", "best", "1")}
    assert opened["latest"].step == 3 and opened["1"].step == 1 and opened["best"].step in (2, 3)
    assert int(opened["1"].state.step) == 1
    plan = opened["latest"].plan
    inputs = plan.eval_inputs(opened["latest"].state)
    jax.tree.map(np.testing.assert_array_equal, inputs.params, opened["latest"].state.params)
    assert plan.config.stage == toy_config().stage


def test_a_step_that_is_not_there_is_refused(workdir, tmp_path):
    with pytest.raises(ValueError, match=r"no checkpoint 9 .* one of \[1, 2, 3\]"):
        open_run(workdir, classes, "9")
    with pytest.raises(ValueError, match="holds no checkpoint yet"):
        open_run(tmp_path, classes)
