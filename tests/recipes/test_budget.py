"""A time budget: shares of what is left, and lengths that fit them."""

import dataclasses
import json

import pytest

from hsmtss_jax.config import ExperimentConfig, OptimConfig, RunConfig, StageConfig
from hsmtss_jax.conversion import override
from hsmtss_jax.recipes import budget
from tests.recipes.conftest import leave


@pytest.fixture
def config() -> ExperimentConfig:
    return ExperimentConfig(
        stage=StageConfig(name="x"),
        optim={"model": OptimConfig(warmup_steps=200)},
        run=RunConfig(steps=1_000, eval_every=250),
    )


def test_the_first_steps_are_few_and_even(config):
    assert budget.probe_steps(config) == 20
    short = dataclasses.replace(config, run=RunConfig(steps=20))
    assert budget.probe_steps(short) == budget.FEWEST
    probed = override(config, budget.probe_overrides(config))
    assert probed.run.log_every == 10 and probed.run.eval_every == 0


def test_a_length_uses_its_time_and_no_more(config):
    assert budget.fit(config, speed=10.0, seconds=100.0) == budget.Length(900, 10.0)
    assert budget.fit(config, speed=10.0, seconds=-5.0).steps == 20


def test_learning_rates_end_with_the_length(config):
    fitted = override(config, budget.fitted_overrides(config, 400))
    assert fitted.run.steps == 400 and fitted.run.eval_every == 100
    assert fitted.optim["model"].warmup_steps == 40
    longer = override(config, budget.fitted_overrides(config, 5_000))
    assert longer.optim["model"].warmup_steps == 200  # the config's own is the most
    unseen = dataclasses.replace(config, run=RunConfig(steps=1_000, eval_every=0))
    assert override(unseen, budget.fitted_overrides(unseen, 400)).run.eval_every == 0


def test_the_last_speed_that_was_logged_counts(tmp_path):
    with pytest.raises(ValueError, match="tells no speed"):
        budget.measured_speed(tmp_path)
    rows = [
        {"speed/steps_per_second": 0.2},
        {"speed/steps_per_second": 3.0},
        {"validation/loss": 1.0},
    ]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert budget.measured_speed(tmp_path) == 3.0


def test_a_length_is_kept(tmp_path):
    assert budget.read_length(tmp_path) is None
    budget.write_length(tmp_path, budget.Length(7, 0.5))
    assert budget.read_length(tmp_path) == budget.Length(7, 0.5)


def test_shares_are_of_what_is_left(steps):
    """3 + 1 + 2 one after another; side by side the longer branch takes the time: 3 + 1, and 2."""
    assert budget.share_of_rest(steps, "audio_mae", 1) == 3 / 6
    assert budget.share_of_rest(steps, "audio_mae", 2) == 3 / 4
    assert budget.share_of_rest(steps, "tf_codec", 2) == 1.0
    leave(next(step for step in steps if step.name == "audio_mae"))
    assert budget.share_of_rest(steps, "q_audio", 1) == 1 / 3
    assert budget.share_of_rest(steps, "scores", 1) == 0.0
