"""Processes make what one process makes, and end with it."""

import multiprocessing

import pytest

from hsmtss_jax.data.preparation import jobs
from hsmtss_jax.data.preparation.workers import in_processes, run_here
from tests.data.preparation.sounds import contents
from tests.data.preparation.test_jobs import Squares


def planned(work, *groups):
    return [
        jobs.write_job(str(work), Squares(), jobs.Job("a", number, group))
        for number, group in enumerate(groups)
    ]


def test_processes_make_the_same(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    for work, runner in ((here, run_here), (there, in_processes(2))):
        keys = planned(work, (1, 2), (3,), (4, -1))
        assert sorted(runner(Squares(), str(work), keys)) == sorted(keys)
    assert contents(here / "done") == contents(there / "done")
    assert in_processes(1) is run_here


def test_an_error_ends_the_processes(tmp_path):
    keys = planned(tmp_path, (1,), ("x",), (2,))
    with pytest.raises(TypeError):
        list(in_processes(2)(Squares(), str(tmp_path), keys))
    assert not multiprocessing.active_children()
