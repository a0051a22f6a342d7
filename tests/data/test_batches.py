"""One position for any number of processes and workers."""

import json
import threading

import grain
import numpy as np
import pytest

from hsmtss_jax.config import Shard
from hsmtss_jax.data.batches import Batches, OrderWarning, read_position

B, EPOCH = 8, 36  # an epoch ends inside a batch


class Draw(grain.transforms.RandomMap):
    """Number -> itself and a number of the example's own generator."""

    def random_map(self, element, rng):
        return {"i": np.int64(element), "drawn": rng.integers(1 << 30)}


def dataset(shard=None, workers=0, size=EPOCH, seed=5):
    order = grain.MapDataset.range(size).seed(seed).shuffle().repeat()
    return Batches(
        order,
        order.random_map(Draw()),
        batch_size=B,
        shard=shard or Shard(),
        workers=workers,
        drop_remainder=True,
    )


def read(count, workers, state, steps):
    """Batches of all processes from a position on, joined as the one-process batches are."""
    parts = []
    for index in range(count):
        iterator = iter(dataset(Shard(index, count), workers))
        if state is not None:
            iterator.set_state(json.loads(json.dumps(state)))
        parts.append([next(iterator) for _ in range(steps)])
        last = iterator.get_state()
        iterator.close()
    joined = {
        key: np.concatenate(
            [np.concatenate([part[k][key] for part in parts]) for k in range(steps)]
        )
        for key in ("i", "drawn")
    }
    return joined, last


STRAIGHT, _ = read(1, 0, None, 14)


@pytest.mark.parametrize("steps", [4, 5, 9], ids=["epoch", "within", "epochs"])
@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("other", [1, 2, 4])
def test_any_number_of_processes_goes_on(count, other, steps):
    before, state = read(count, 0, None, steps)
    after, _ = read(other, 0, state, 4)
    for key, whole in STRAIGHT.items():
        np.testing.assert_array_equal(before[key], whole[: steps * B])
        np.testing.assert_array_equal(after[key], whole[steps * B : (steps + 4) * B])


@pytest.mark.parametrize(("count", "workers"), [(1, 3), (2, 1)])
def test_any_number_of_workers_goes_on(count, workers):
    _, state = read(1, 0, None, 4)  # 32 of 36: the epoch's last whole batch
    there, later = read(count, workers, state, 3)
    back, _ = read(1, 0, later, 2)
    for key, whole in STRAIGHT.items():
        np.testing.assert_array_equal(there[key], whole[4 * B : 7 * B])
        np.testing.assert_array_equal(back[key], whole[7 * B : 9 * B])


def test_the_state_is_one_number_and_the_version():
    iterator = iter(dataset(Shard(1, 2)))
    next(iterator)
    state = iterator.get_state()
    assert (
        state["next_example"] == B
        and state["grain"]
        and set(state)
        == {
            "next_example",
            "grain",
            "order",
        }
    )


@pytest.mark.parametrize(
    ("state", "batches"),
    [
        ({"next_index": 5}, 5),
        (
            {
                "next_index_in_cycle": 2,
                "next_index_in_datasets": 3,
                "iterators_in_use_indices": [0, 1, 2],
                "iterators_in_use_states": [
                    {"next_index": 2},
                    {"next_index": 2},
                    {"next_index": 1},
                ],
                "exhausted": [0, 0, 0],
                "future_states": {},
            },
            5,
        ),
    ],
)
def test_positions_of_older_checkpoints_are_read(state, batches):
    iterator = iter(dataset())
    iterator.set_state(state)
    np.testing.assert_array_equal(next(iterator)["i"], STRAIGHT["i"][batches * B :][:B])
    assert read_position(state, B).next_example == batches * B


def test_grains_own_iterator_counts_so():
    plain = dataset().from_example(0)
    for _ in range(3):
        next(plain)
    assert read_position(plain.get_state(), B).next_example == 3 * B


def test_another_form_is_refused():
    with pytest.raises(ValueError, match="begin a new --workdir"):
        iter(dataset()).set_state({"elsewhere": 3})


def test_another_order_is_said():
    iterator = iter(dataset())
    next(iterator)
    for other in (dataset(size=EPOCH + 1), dataset(seed=6)):
        with pytest.warns(OrderWarning, match="another order than when this position was saved"):
            iter(other).set_state(iterator.get_state())


def test_closing_leaves_no_thread():
    before = set(threading.enumerate())
    iterator = iter(dataset())
    next(iterator)
    begun = set(threading.enumerate()) - before
    assert begun
    iterator.close()
    for thread in begun:
        thread.join(timeout=10)
        assert not thread.is_alive()
    with pytest.raises(ValueError, match="closed"):
        next(iterator)


def test_a_pass_ends_after_its_last_example():
    order = grain.MapDataset.range(11)
    rows = order.seed(0).random_map(Draw())
    settings = {"batch_size": 4, "workers": 0, "drop_remainder": False}
    whole = list(Batches(order, rows, shard=Shard(), **settings))
    assert [len(batch["i"]) for batch in whole] == [4, 4, 3]
    parts = [list(Batches(order, rows, shard=Shard(i, 4), **settings)) for i in range(4)]
    assert [len(part) for part in parts] == [3, 3, 3, 2]
    assert sorted(int(b["i"][0]) for part in parts for b in part) == list(range(11))


def test_batches_divide_over_processes():
    with pytest.raises(ValueError, match="no multiple of 3"):
        dataset(Shard(0, 3))


def test_a_batch_can_be_named_afterwards():
    iterator = iter(dataset(Shard(1, 2)))
    assert iterator.names(3) == tuple(str(i) for i in STRAIGHT["i"][3 * B : 4 * B])
