"""The guard beside the devices: limits are put there in time, results come back in order."""

import jax.numpy as jnp
import numpy as np

from hsmtss_jax import dist
from hsmtss_jax.config import MeshConfig
from hsmtss_jax.train.guard import BLOCK, FEWEST, SpikeGuard
from hsmtss_jax.train.watch import Watch


def made():
    mesh = dist.make_mesh(MeshConfig(data=2))
    return Watch(SpikeGuard(["model"], 10.0, 4), lambda tree: dist.replicate(mesh, tree))


def add(watch, step, loss=1.0, skipped=0.0):
    metrics = {"model/loss": jnp.float32(loss), "model/skipped": jnp.float32(skipped)}
    watch.add(step, step + 3, metrics)
    assert set(metrics) == {"model/loss"}


def test_steps_settle_in_order():
    watch = made()
    for step in range(4):
        add(watch, step, skipped=float(step == 1))
    settled = list(watch.settle(2))
    assert [seen.step for seen in settled] == [0, 1]
    assert settled[1].skipped == ("model",)
    assert settled[1].draw == 4 and not watch.guard.healthy
    watch.forget()
    assert list(watch.settle(0)) == []


def test_each_step_is_judged_before_the_next_one():
    watch = made()
    for step in range(3):
        add(watch, step, skipped=float(step == 1))
    streaks = [(seen.step, len(watch.guard.streak)) for seen in watch.settle(0)]
    assert streaks == [(0, 0), (1, 1), (2, 0)]


def test_limits_are_on_every_device():
    watch = made()
    assert np.isinf(watch.limits(0)["model"])
    for step in range(FEWEST + BLOCK):
        add(watch, step)
    assert len(list(watch.settle(0))) == FEWEST + BLOCK
    limit = watch.limits(FEWEST + BLOCK)["model"]
    assert limit.is_fully_replicated and np.isclose(limit, 1.5)
