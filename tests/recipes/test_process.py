"""Commands of a recipe: their status, their log, and that they end with whoever started them."""

import os
import signal
import subprocess
import sys
import time

import pytest

from hsmtss_jax.recipes.process import start


def wait(process, seconds=20.0):
    end = time.monotonic() + seconds
    while (status := process.poll()) is None and time.monotonic() < end:
        time.sleep(0.01)
    return status


def test_status_and_output(tmp_path):
    log = tmp_path / "log"
    code = "import os, sys; print(os.environ['NAME']); sys.exit(3)"
    assert wait(start([sys.executable, "-c", code], log, {"NAME": "x"})) == 3
    assert log.read_text() == "x\n"


def test_a_command_is_told_to_stop(tmp_path):
    code = "import signal, time; signal.signal(15, lambda *_: exit(7)); print('on', flush=True)"
    code += "; time.sleep(60)"
    process = start([sys.executable, "-c", code], tmp_path / "log", dict(os.environ))
    while not (tmp_path / "log").read_text():
        time.sleep(0.01)
    process.stop()
    assert process.poll() == 7


def test_a_killed_command_has_the_shell_s_status(tmp_path):
    code = "import os; os.kill(os.getpid(), 9)"
    assert wait(start([sys.executable, "-c", code], tmp_path / "log", dict(os.environ))) == 137


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux tells a child")
def test_a_command_ends_where_its_parent_is_killed(tmp_path):
    child = (
        "import signal, time; signal.signal(15, lambda *_: (print('told', flush=True), exit())); "
    )
    child += "print('on', flush=True); time.sleep(60)"
    log = tmp_path / "log"
    parent = (
        "import sys, time, os; from pathlib import Path; from hsmtss_jax.recipes.process import start; "
        f"start([sys.executable, '-c', {child!r}], Path({str(log)!r}), dict(os.environ)); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", parent])
    end = time.monotonic() + 30
    while not (log.exists() and log.read_text()) and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    while "told" not in log.read_text() and time.monotonic() < end:
        time.sleep(0.02)
    assert "told" in log.read_text()
