"""Batches are counted and passed over; failures of the data are told apart."""

import grain

from hsmtss_jax.train.draws import Draws, data_failure
from hsmtss_jax.train.interrupt import TryAgainError


def draws():
    return Draws(iter(grain.MapDataset.range(20).to_iter_dataset()))


def test_numbers_are_passed_over_also_after_a_resumption():
    straight = draws()
    straight.pass_over(range(2, 4))
    assert [straight.next() for _ in range(3)] == [0, 1, 4] and straight.count == 5
    stopped = draws()
    assert [stopped.next()] == [0]
    stopped.pass_over(range(2, 4))
    saved = stopped.to_dict()
    resumed = draws()
    resumed.data.set_state(stopped.data.get_state())
    resumed.restore(saved, 1)
    assert [resumed.next(), resumed.next()] == [1, 4] and resumed.count == 5
    assert resumed.to_dict()["passed"] == []


def test_an_older_checkpoint_has_counted_its_steps():
    older = draws()
    older.restore({}, 7)
    assert older.count == 7 and older.waited == 0


def test_the_data_may_name_examples():
    assert draws().names(3) == ()

    class Named:
        def names(self, number):
            return (f"a{number}", f"b{number}")

    assert Draws(Named()).names(3) == ("a3", "b3")


def test_failures_are_told_apart():
    killed = RuntimeError("Worker process was terminated unexpectedly with exit code -9. Search")
    told = data_failure(killed, "stopped at step 3")
    assert isinstance(told, TryAgainError) and "(status -9;" in str(told)
    assert "stopped at step 3" in str(told)
    assert isinstance(data_failure(OSError("gone"), ""), TryAgainError)
    wrong = ValueError("no such field")
    assert data_failure(wrong, "") is wrong
