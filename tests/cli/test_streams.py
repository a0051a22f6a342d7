"""Standard streams as programs find them: closed, narrow, left by their reader."""

import io
import os
import subprocess
import sys

import pytest

from hsmtss_jax.cli.main import main
from hsmtss_jax.cli.streams import READER_LEFT, steady_streams
from tests.cli.conftest import write

PLAN = [sys.executable, "-m", "hsmtss_jax", "separate", "--plan"]


def test_what_an_encoding_lacks_is_escaped(monkeypatch):
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", narrow)
    with steady_streams():
        print("caf\xe9 \udce9")
    narrow.flush()
    assert narrow.buffer.getvalue() == b"caf\\xe9 \\udce9\n" and narrow.errors == "strict"


def test_no_streams_at_all(monkeypatch):
    """As under pythonw, or a service: nothing is printed, nothing fails."""
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    assert main(["separate", "--plan", "remove x"]) == 0 and main(["separate"]) == 2
    assert sys.stdout is None


def test_a_reader_that_leaves(monkeypatch, capfd):
    class Left(io.StringIO):
        def flush(self):
            raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(sys, "stdout", Left())
    assert main(["separate", "--plan", "remove x"]) == READER_LEFT
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(closed, tmp_path):
    """The numbers of closed streams are not given to files: what is printed would land in them."""
    program = "import os, sys; from hsmtss_jax.cli.main import main; status = main(sys.argv[1:])"
    program += "; sys.exit(status or 10 * (os.open(os.devnull, 0) < 3))"
    words = [sys.executable, "-c", program, "separate", "--plan", "remove the rain"]
    command = ["sh", "-c", f'"$@" {closed}', "sh", *words]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert (run.stdout == "") == (">&-" in closed.replace("2>&-", ""))


@pytest.mark.parametrize(
    ("variables", "text"),
    [({"PYTHONIOENCODING": "ascii"}, "x"), ({"LC_ALL": "C", "PYTHONUTF8": "0"}, "x")],
)
def test_narrow_places(variables, text, tmp_path):
    """A name outside the encoding is in the line all the same; so is the status."""
    missing = str(tmp_path / "r\u00e9gen.wav")
    command = [sys.executable, "-m", "hsmtss_jax", "separate", missing, "remove the rain"]
    run = subprocess.run(command, capture_output=True, env={**os.environ, **variables}, check=False)
    assert run.returncode == 2 and run.stderr.count(b"\n") == 1 and b"no such file" in run.stderr


def test_names_that_are_no_text(fake, tmp_path):
    source = write(tmp_path / "in.wav")
    odd = tmp_path / os.fsdecode(b"caf\xe9.wav")
    os.replace(source, odd)
    asked = ["separate", str(tmp_path), "-p", "x", "-o", str(tmp_path / "out"), "--no-figure"]
    assert main(asked, fake) == 0
    assert os.listdir(os.fsencode(tmp_path / "out")) == [b"caf\xe9_target.wav"]
