"""``hsmtss train`` as a launcher sees it: exit statuses, and one line for whatever is wrong."""

import json
import os
import signal
import subprocess
import sys

import pytest

from hsmtss_jax.cli.main import main
from hsmtss_jax.testing.corpus import write_tiny_corpus
from hsmtss_jax.train.checkpoint import Checkpointer
from hsmtss_jax.train.lock import lock_workdir

TINY = ("train", "audio_mae", "--size", "tiny")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_tiny_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def run(root, tmp_path_factory):
    """A workdir after six steps."""
    workdir = tmp_path_factory.mktemp("runs") / "run"
    words = [*TINY, f"data.root={root}", "--workdir", str(workdir), "-q"]
    words += ["run.steps=6", "run.eval_every=2", "run.save_every=2", "run.keep=3"]
    assert main([*words, "run.log_every=2", "mesh.data=1"]) == 0
    return workdir


def test_a_workdir_is_examined(run, capsys):
    assert main(["doctor", str(run), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["findings"]
    assert found[0]["values"]["whole"] == [2, 4, 6] and found[0]["values"]["best"] in (2, 4, 6)
    assert found[0]["values"]["owner"] is None
    assert [each["status"] for each in found] == ["ok"] * len(found)
    digest = run / "checkpoints" / "6" / "digest.json"
    content = digest.read_bytes()
    digest.write_bytes(content[:-9])
    try:
        assert main(["doctor", str(run)]) == 1
        said = capsys.readouterr().out
        assert "goes on from step 4" in said and "its digest.json cannot be read" in said
    finally:
        digest.write_bytes(content)
    assert main(["doctor", str(run.parent)]) == 2
    assert "is not the workdir of a training run" in capsys.readouterr().err


@pytest.mark.parametrize("step", ["best", "4"])
def test_a_checkpoint_is_exported(run, tmp_path, step, capsys):
    assert main(["export", str(run), str(tmp_path / "out"), "--step", step]) == 0
    assert "audio_mae" in capsys.readouterr().out


def test_a_second_start_is_told(run, root, capsys):
    with lock_workdir(run):
        assert main([*TINY, f"data.root={root}", "--workdir", str(run)]) == 75
    (said,) = capsys.readouterr().err.splitlines()
    assert f"is being trained by process {os.getpid()}" in said


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_saves_and_is_in_the_status(root, tmp_path, number, status):
    words = [sys.executable, "-m", "hsmtss_jax", *TINY, f"data.root={root}", "run.steps=100000"]
    words += ["--workdir", str(tmp_path), "run.log_every=1", "run.eval_every=0", "mesh.data=1"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as ran:
        while not ran.stdout.readline().startswith("step 2:"):
            assert ran.poll() is None
        ran.send_signal(number)
        said = ran.communicate(timeout=120)[1]
    assert ran.returncode == status and "saved: the same command goes on" in said
    assert Checkpointer(tmp_path).latest() > 1
