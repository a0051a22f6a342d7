"""The two tasks: words on the outside, numbers in a batch."""

import json
import pickle

import pytest

from hsmtss_jax.task import TASKS, Task


def test_a_task_is_its_word():
    assert Task("extract") is Task.EXTRACT and Task.REMOVE == "remove"
    assert f"{Task.EXTRACT}" == "extract" and json.dumps(Task.REMOVE) == '"remove"'
    assert pickle.loads(pickle.dumps(Task.REMOVE)) is Task.REMOVE
    with pytest.raises(ValueError, match="mute"):
        Task("mute")


def test_numbers_are_places_in_the_table():
    """They are in prepared data and in checkpoints: they may not change."""
    assert [task.number for task in TASKS] == [0, 1] and Task.EXTRACT.number == 0
    assert all(TASKS[task.number] is task for task in Task)


def test_the_opposite_is_the_other_one():
    assert Task.EXTRACT.opposite is Task.REMOVE
    assert all(task.opposite.opposite is task for task in Task)
