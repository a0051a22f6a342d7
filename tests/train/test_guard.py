"""The spike guard: what leaves the corridor, when a run goes back, and that a resumed one has the same."""

import json
import math

import numpy as np
import pytest

from hsmtss_jax.train.guard import LEAD, SpikeGuard, Watched


def watched(step, loss, *skipped, draw=None):
    return Watched(step, step if draw is None else draw, {"model": loss}, skipped)


def after(losses, factor=10.0, patience=4):
    guard = SpikeGuard(["model"], factor, patience)
    for step, loss in enumerate(losses):
        guard.observe(watched(step, loss))
    return guard


def noise(count):
    return 1.0 + 0.1 * np.random.default_rng(0).standard_normal(count)


def test_a_loss_far_above_the_others_is_outside():
    guard = after(noise(100))
    assert 1.5 < guard.limits(100)["model"] < 3.0
    assert guard.limits(100) == guard.limits(109) != guard.limits(110)
    assert after(noise(40)).limits(40)["model"] == math.inf
    assert after(noise(100), factor=0.0).limits(100)["model"] == math.inf


def test_a_slow_change_is_followed():
    guard = SpikeGuard(["model"], 10.0, 4)
    for step, loss in enumerate(np.linspace(1.0, 20.0, 2000) * noise(2000)):
        assert loss < guard.limits(step)["model"]
        guard.observe(watched(step, loss))


def test_a_streak_ends_in_a_rewind_and_the_batches_are_named():
    guard = after(noise(100))
    guard.observe(watched(100, 50.0, "model", draw=120))
    assert not guard.healthy and not guard.exhausted
    assert "the loss of model is 50, its corridor ends at" in guard.reason()
    guard.observe(watched(101, 1.0))
    assert guard.healthy
    for step in range(102, 106):
        guard.observe(watched(step, math.nan, "model", draw=step + 20))
    assert guard.exhausted and guard.reason() == "the loss of model is nan"
    assert guard.offending() == range(122 - LEAD, 126)
    guard.went_back()
    assert guard.healthy and guard.rewinds == 1
    guard.observe(watched(101, 1.0))
    assert guard.rewinds == 1
    guard.observe(watched(110, 1.0))
    assert guard.rewinds == 0


def test_a_gradient_can_be_what_is_wrong():
    guard = after(noise(10))
    guard.observe(watched(10, 1.0, "model"))
    assert guard.reason() == "the gradient of model is not finite"


@pytest.mark.parametrize("stop", [97, 100, 103])
def test_the_corridor_goes_through_a_checkpoint(stop):
    losses = noise(150)
    straight, stopped = after(losses), after(losses[:stop])
    resumed = SpikeGuard(["model"], 10.0, 4)
    resumed.restore(json.loads(json.dumps(stopped.to_dict())))
    for step in range(stop, 150):
        assert resumed.limits(step) == after(losses[:step]).limits(step)
        resumed.observe(watched(step, losses[step]))
    assert resumed.limits(150) == straight.limits(150)


def test_an_older_checkpoint_has_no_corridor():
    guard = after(noise(100))
    guard.restore({})
    assert guard.limits(100)["model"] == math.inf
