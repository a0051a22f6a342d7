"""Checkpoints: what is kept, what comes back, what damage is noticed and passed over."""

import json
import shutil

import grain
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from hsmtss_jax.train.checkpoint import (
    Checkpointer,
    CheckpointWarning,
    OtherRunError,
    abstract_state,
)
from hsmtss_jax.train.digest import DIGEST, DamagedError
from hsmtss_jax.train.state import create_state


def data():
    return iter(grain.MapDataset.range(10).to_iter_dataset())


def state_of(width=3, step=0):
    params = {"net": {"w": jnp.arange(float(width)) + step}}
    state = create_state(params, {"count": jnp.zeros(())}, {"net": optax.adam(1e-3)}, {"net"})
    return state.replace(step=jnp.int32(step))


def layout(state):
    one = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    return abstract_state(state, jax.tree.map(lambda _: one, state))


def accept(config):
    if config.get("name") == "other":
        raise ValueError("this is another run")


def save(checkpointer, *steps, name="x", metric=None):
    for step in steps:
        checkpointer.save(step, state_of(step=step), data(), {"name": name}, metric)
        checkpointer.wait()


def resume(checkpointer):
    return checkpointer.resume(layout(state_of()), data(), accept)


@pytest.fixture
def checkpointer(tmp_path):
    made = Checkpointer(tmp_path, keep=1)
    yield made
    made.close()


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Checkpoints 1 and 2 of a run and 3 of another one."""
    made = Checkpointer(tmp_path_factory.mktemp("template"))
    save(made, 1, 2)
    save(made, 3, name="other")
    made.close()
    return made.folder


@pytest.fixture
def two(template, checkpointer):
    for step in ("1", "2"):
        shutil.copytree(template / step, checkpointer.folder / step)
    return checkpointer


def test_state_data_position_and_config_come_back(checkpointer):
    state, rows = state_of(step=5), data()
    assert [next(rows), next(rows)] == [0, 1]
    checkpointer.save(5, state, rows, {"experiment": {"name": "x"}})
    checkpointer.wait()
    assert checkpointer.latest() == 5 and checkpointer.config(5) == {"experiment": {"name": "x"}}
    assert checkpointer.verify(5)
    again = data()
    restored = checkpointer.restore(5, layout(state), again)
    assert int(restored.step) == 5 and next(again) == 2
    jax.tree.map(np.testing.assert_array_equal, restored.params, state.params)
    with pytest.raises(ValueError, match=r"checkpoint .*5 does not fit"):
        checkpointer.restore(5, layout(state_of()).replace(params={"other": {}}))


def test_the_best_stays_beside_the_last(checkpointer):
    assert checkpointer.latest() is None and checkpointer.best() is None
    for step, metric in ((1, float("nan")), (2, 0.1), (4, None), (5, None)):
        save(checkpointer, step, metric=metric)
    checkpointer.prune(4)
    assert checkpointer.best() == 2 and checkpointer.steps() == [2, 4, 5]
    checkpointer.prune(5)
    assert checkpointer.steps() == [2, 5]


def test_older_ones_stay_where_the_last_is_damaged(two):
    damage_state(two.folder / "2")
    with pytest.warns(CheckpointWarning, match="checkpoint 2 .* is passed over"):
        two.prune(2)
    assert two.steps() == [1, 2]


def damage_state(folder):
    """Change one bit of the largest file."""
    files = (path for path in (folder / "state").rglob("*") if path.is_file())
    path = max(files, key=lambda path: path.stat().st_size)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(name):
    def damage(folder):
        path = next(path for path in sorted(folder.rglob(name)) if path.is_file())
        path.write_bytes(path.read_bytes()[:-1])

    return damage


def empty(folder):
    shutil.rmtree(folder)
    folder.mkdir()


def copy_of_another(folder):
    shutil.rmtree(folder)
    shutil.copytree(folder.with_name("1"), folder)


DAMAGES = {
    "a bit": damage_state,
    "empty": empty,
    "no state": lambda folder: shutil.rmtree(folder / "state"),
    "no data": lambda folder: shutil.rmtree(folder / "data"),
    "cut manifest": cut("manifest.ocdbt"),
    "cut config": lambda folder: cut("metadata")(folder / "config"),
    "cut digest": cut(DIGEST),
    "a copy": copy_of_another,
    "a file": lambda folder: (shutil.rmtree(folder), folder.write_text("no folder")),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_newest_one_is_passed_over(two, kind):
    DAMAGES[kind](two.folder / "2")
    with pytest.warns(CheckpointWarning, match=r"checkpoint 2 is passed over: .*2\.damaged now"):
        resumed = resume(two)
    assert resumed.step == 1 and int(resumed.state.step) == 1
    assert two.steps() == [1] and (two.folder / "2.damaged").exists()


def test_where_nothing_is_left_it_says_so(two):
    shutil.rmtree(two.folder / "2")
    empty(two.folder / "1")
    with pytest.raises(DamagedError, match=r"no checkpoint in .* can be used \(1: it is empty\)"):
        resume(two)
    assert two.steps() == [1]
    shutil.rmtree(two.folder / "1")
    assert resume(two) is None


def test_another_runs_checkpoint_is_passed_over(two, template):
    shutil.copytree(template / "3", two.folder / "3")
    with pytest.warns(CheckpointWarning, match=r"this is another run; .*3\.other-run"):
        assert resume(two).step == 2
    for step in two.steps():
        shutil.rmtree(two.folder / str(step))
    (two.folder / "3.other-run").rename(two.folder / "3")
    with pytest.raises(OtherRunError, match="this is another run"):
        resume(two)


# what orbax still reads of a damaged one ends after its event loop: "exception ignored", by another thread
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_one_without_a_digest_is_used_with_a_warning(two):
    for step in ("1", "2"):
        (two.folder / step / DIGEST).unlink()
    (two.folder / "1" / "metrics").mkdir()
    (two.folder / "1" / "metrics" / "metrics").write_text(json.dumps({"best": 0.25}))
    assert two.metric(1) == 0.25 and two.metric(2) is None
    cut("manifest.ocdbt")(two.folder / "2" / "state")
    with pytest.warns(CheckpointWarning) as warned:
        assert resume(two).step == 1
    said = " ".join(str(one.message) for one in warned)
    assert "checkpoint 1 has no digest" in said and "checkpoint 2 is passed over" in said


def test_a_save_that_fails_does_not_count(two):
    aside = two.folder.with_name("aside")
    two.folder.rename(aside)
    two.folder.write_text("in the way")
    with pytest.warns(CheckpointWarning, match="checkpoint 3 could not be saved"):
        two.save(3, state_of(), data(), {})
    with pytest.raises(OSError, match="checkpoint 4 could not be saved"):
        two.save(4, state_of(), data(), {})
    two.folder.unlink()
    aside.rename(two.folder)
    assert two.latest() == 2
    save(two, 4)
    assert two.latest() == 4


def test_what_a_killed_process_left_is_cleaned(two):
    for name in ("3.orbax-checkpoint-tmp", "0.deleted"):
        (two.folder / name / "state").mkdir(parents=True)
    two.clean()
    assert sorted(path.name for path in two.folder.iterdir()) == ["1", "2"]
