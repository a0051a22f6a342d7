"""Checkpoints: what is kept, what comes back, and what a resumed run may change."""

import copy

import grain
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from hsmtss_jax.conversion import to_dict
from hsmtss_jax.train.checkpoint import (
    Checkpointer,
    abstract_state,
    check_same_run,
    differences,
)
from hsmtss_jax.train.state import create_state
from tests.train.toy import toy_config


def identity(config):
    return {"experiment": to_dict(config), "upstream": {}}


def data():
    return iter(grain.MapDataset.range(10).to_iter_dataset())


def state_of(width=3):
    params = {"net": {"w": jnp.arange(float(width))}}
    return create_state(params, {"count": jnp.zeros(())}, {"net": optax.adam(1e-3)}, {"net"})


def layout(state):
    one = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    return abstract_state(state, jax.tree.map(lambda _: one, state))


@pytest.fixture
def checkpointer(tmp_path):
    made = Checkpointer(tmp_path, keep=1)
    yield made
    made.close()


def test_state_data_position_and_config_come_back(checkpointer):
    state, rows = state_of(), data()
    assert [next(rows), next(rows)] == [0, 1]
    checkpointer.save(5, state.replace(step=jnp.int32(5)), rows, {"experiment": {"name": "x"}})
    checkpointer.wait()
    assert checkpointer.latest() == 5 and checkpointer.config(5) == {"experiment": {"name": "x"}}
    again = data()
    restored = checkpointer.restore(5, layout(state), again)
    assert int(restored.step) == 5 and next(again) == 2
    jax.tree.map(np.testing.assert_array_equal, restored.params, state.params)
    with pytest.raises(ValueError, match=r"checkpoint 5 in .* does not fit"):
        checkpointer.restore(5, layout(state_of()).replace(params={"other": {}}))


def test_the_best_stays_beside_the_last(checkpointer):
    assert checkpointer.latest() is None and checkpointer.best() is None
    for step, metric in ((1, float("nan")), (2, 0.1), (3, 0.5), (4, None)):
        checkpointer.save(step, state_of(), data(), {}, metric)
        checkpointer.wait()
    assert checkpointer.best() == 2 and checkpointer.steps() == [2, 4]


def test_older_checkpoints_lack_newer_fields(tmp_path):
    """A run from before short_clips and amsgrad goes on as it was: with what they stand at by default."""
    saved = identity(toy_config())
    old = copy.deepcopy(saved)
    del old["experiment"]["data"]["short_clips"]
    for optim in old["experiment"]["optim"].values():
        del optim["amsgrad"]
    check_same_run(old, saved, tmp_path)
    changed = copy.deepcopy(saved)
    changed["experiment"]["data"]["short_clips"] = "pad"
    with pytest.raises(ValueError, match=r"data\.short_clips=repeat, not pad"):
        check_same_run(old, changed, tmp_path)


def test_other_upstream_bundles_are_another_run(tmp_path):
    saved = {**identity(toy_config()), "upstream": {"audio_mae": "0123456789abcdef"}}
    other = {**saved, "upstream": {"audio_mae": "fedcba9876543210"}}
    with pytest.raises(ValueError, match=r"upstream\.audio_mae \(digest\)=0123456789ab, not fedc"):
        check_same_run(saved, other, tmp_path)


def test_differences_are_named_by_their_path():
    before = {"name": "a", "model": {"width": 8, "depth": 2}, "old": 1}
    now = {"name": "b", "model": {"width": 16, "depth": 2}, "new": 1}
    assert differences(before, now) == ["model.width: 8, here 16"]
