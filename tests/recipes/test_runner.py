"""The runner: order, what is done, kills and failures, several hosts, a time budget."""

import pytest

from hsmtss_jax.recipes import budget, runner
from hsmtss_jax.recipes.runner import Runner, Settings, StepFailed
from tests.recipes.conftest import Launcher, leave

NAMES = ["corpus", "text_encoder", "audio_mae", "q_audio", "tf_codec", "pipeline", "scores"]


def run(steps, given, launcher, said=None, **settings):
    quick = {"pause": 0.0, "patience": 0.0} | settings
    lines = [] if said is None else said
    Runner(steps, given.workdir, Settings(**quick), launcher, lines.append).run()


def test_steps_run_in_order_and_once(steps, given):
    launcher, said = Launcher(steps), []
    run(steps, given, launcher)
    assert [name for name, _ in launcher.calls] == NAMES
    again = Launcher(steps)
    run(steps, given, again, said)
    assert not again.calls and said == [f"{name}: done before" for name in NAMES]


def test_branches_run_side_by_side(steps, given):
    launcher = Launcher(steps)
    run(steps, given, launcher, jobs=2)
    names = [name for name, _ in launcher.calls]
    assert sorted(names) == sorted(NAMES) and names.index("tf_codec") < names.index("q_audio")
    assert names[-2:] == ["pipeline", "scores"]


def test_a_failure_is_told_with_its_reason_and_the_same_command_goes_on(steps, given):
    launcher = Launcher(steps, {"q_audio": [143]})
    with pytest.raises(
        StepFailed, match=r"q_audio ended with status 143: the reason \(the log is"
    ) as told:
        run(steps, given, launcher)
    assert told.value.status == 143
    launcher = Launcher(steps)
    run(steps, given, launcher)
    assert [name for name, _ in launcher.calls] == NAMES[3:]


def test_a_step_that_asks_to_be_tried_again_is(steps, given):
    launcher = Launcher(steps, {"audio_mae": [75, 75]})
    run(steps, given, launcher)
    assert [name for name, _ in launcher.calls].count("audio_mae") == 3
    with pytest.raises(StepFailed, match="ended with status 75"):
        run(steps, given.__class__(size="tiny", workdir=given.workdir), _fresh(steps), attempts=2)


def _fresh(steps):
    for step in steps:
        if step.name == "scores":
            step.output.unlink()
    return Launcher(steps, {"scores": [75, 75, 75]})


def test_a_step_that_leaves_nothing_has_failed(steps, given):
    class Empty(Launcher):
        def __call__(self, words, log):
            super().__call__(words, log)
            (self.steps[tuple(words)].output / "bundle.json").unlink()
            self.steps[tuple(words)].output.rmdir()
            return self.steps and type("Ended", (), {"poll": lambda self: 0})()

    with pytest.raises(StepFailed, match="corpus left no"):
        run(steps, given, Empty(steps))


def test_lengths_fit_the_time_and_are_decided_once(steps, given):
    """600 s for shares of 3, 1 and 2 at 5 steps/s; the first command only tells the speed."""
    launcher = Launcher(steps)
    run(steps, given, launcher, minutes=10)
    calls = [extra for name, extra in launcher.calls if name == "audio_mae"]
    assert len(calls) == 2 and "--stop-at=10" in calls[0]
    length = budget.read_length(given.workdir / "audio_mae")
    assert length.steps == pytest.approx(0.9 * 300 * 5, rel=0.05)
    assert f"run.steps={length.steps}" in calls[1] and "--stop-at=10" not in calls[1]


def test_a_killed_training_goes_on_with_the_length_that_was_decided(steps, given):
    with pytest.raises(StepFailed):
        run(steps, given, Launcher(steps, {"audio_mae": [0, 137]}), minutes=10)
    before = budget.read_length(given.workdir / "audio_mae")
    launcher = Launcher(steps, speed=1.0)
    run(steps, given, launcher, minutes=10)
    calls = [extra for name, extra in launcher.calls if name == "audio_mae"]
    assert len(calls) == 1 and f"run.steps={before.steps}" in calls[0]


def test_another_host_runs_trainings_alone_and_waits_for_the_rest(steps, given):
    for step in steps:
        if step.experiment is None and step.name != "scores":
            leave(step)
    launcher = Launcher(steps)
    with pytest.raises(StepFailed):  # the first host never scores, and nobody waits here for a week
        run([step for step in steps if step.name != "scores"], given, launcher, host=1)
        raise StepFailed("all but the scores were run", 0)
    assert [name for name, _ in launcher.calls] == ["audio_mae", "q_audio", "tf_codec"]


def test_hosts_are_numbered_by_their_launcher():
    assert runner.host_number({}) == 0
    assert runner.host_number({"SLURM_PROCID": "3"}) == 3
    assert runner.host_number({"TPU_WORKER_ID": "2", "JOB_COMPLETION_INDEX": ""}) == 2


def test_steps_side_by_side_share_the_memory():
    assert "XLA_PYTHON_CLIENT_MEM_FRACTION" not in runner.environment_of_child({}, 1)
    shared = runner.environment_of_child({}, 2)
    assert shared["XLA_PYTHON_CLIENT_MEM_FRACTION"] == "0.45"


def test_a_workdir_is_of_one_size(tmp_path):
    runner.claim(tmp_path / "run", "tiny")
    runner.claim(tmp_path / "run", "tiny")
    with pytest.raises(ValueError, match="holds a recipe of size tiny: choose another"):
        runner.claim(tmp_path / "run", "demo")
