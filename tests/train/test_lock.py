"""One run, one owner: who holds a workdir is told, and who died does not hold it."""

import json
import os
import signal
import socket
import subprocess
import sys

import pytest

from hsmtss_jax.train.interrupt import TryAgainError
from hsmtss_jax.train.lock import LOCK, lock_workdir, owner

HOLD = """
import sys, time
from hsmtss_jax.train.lock import lock_workdir
with lock_workdir(sys.argv[1]):
    print("held", flush=True)
    time.sleep(600)
"""


def test_the_second_is_told_who_is_the_first(tmp_path):
    assert owner(tmp_path) is None
    with lock_workdir(tmp_path / "run"):
        assert f"process {os.getpid()} on {socket.gethostname()}" in owner(tmp_path / "run")
        with pytest.raises(TryAgainError, match=f"is being trained by process {os.getpid()} on"):
            lock_workdir(tmp_path / "run").__enter__()
    assert owner(tmp_path / "run") is None
    with lock_workdir(tmp_path / "run"):
        pass


def test_a_killed_owner_does_not_hold_it(tmp_path):
    words = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(TryAgainError, match=f"process {process.pid}"):
            lock_workdir(tmp_path).__enter__()
        process.send_signal(signal.SIGKILL)
        process.wait()
    with lock_workdir(tmp_path):
        assert f"process {os.getpid()}" in owner(tmp_path)


def test_another_machine_holds_it_as_long_as_it_gives_signs_of_life(tmp_path):
    known = {"host": "elsewhere", "pid": 7, "since": "yesterday"}
    (tmp_path / LOCK).write_text(json.dumps(known))
    with pytest.raises(TryAgainError, match=r"process 7 on elsewhere .* wait 100 s if it is gone"):
        lock_workdir(tmp_path, silent=100).__enter__()
    os.utime(tmp_path / LOCK, (0, 0))
    with lock_workdir(tmp_path, beat=0.01, silent=100):
        known = json.loads((tmp_path / LOCK).read_text())
        assert known["pid"] == os.getpid()


@pytest.mark.parametrize("content", ["", "[]", "nonsense", '{"pid": 1}'])
def test_an_odd_file_is_nobodys(tmp_path, content):
    (tmp_path / LOCK).write_text(content)
    with lock_workdir(tmp_path):
        pass
