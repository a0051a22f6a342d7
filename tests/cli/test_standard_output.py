"""``-`` for the standard streams: a sound in, a sound out, nothing beside."""

import io
import os
import subprocess
import sys
import threading
import types

import numpy as np
import pytest
import soundfile

from hsmtss_jax.cli.main import main
from hsmtss_jax.cli.streams import READER_LEFT
from tests.cli.conftest import FAKE, below, noise, write

ASKED = ["separate", "-", "extract the dog"]


class Pipe(io.BytesIO):
    """What stands behind a text stream."""

    def __init__(self, content: bytes = b"", terminal: bool = False) -> None:
        super().__init__(content)
        self.isatty = lambda: terminal


def text(pipe: Pipe) -> types.SimpleNamespace:
    return types.SimpleNamespace(buffer=pipe, isatty=pipe.isatty, flush=lambda: None)


@pytest.fixture
def sound(tmp_path) -> bytes:
    return write(tmp_path / "in.flac", noise(channels=2)).read_bytes()


@pytest.mark.parametrize(("option", "kind"), [([], "WAV"), (["--format=flac"], "FLAC")])
def test_from_pipe_to_pipe(option, kind, sound, tmp_path, monkeypatch, capfd):
    out, report = Pipe(), tmp_path / "report.jsonl"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", text(Pipe(sound)))
    monkeypatch.setattr(sys, "stdout", text(out))
    assert main([*ASKED, "-o", "-", *option, "--json", str(report)], FAKE) == 0
    info = soundfile.info(io.BytesIO(out.getvalue()))
    assert (info.format, info.channels, info.frames) == (kind, 2, 16_000)
    assert '"output": "-"' in report.read_text() and '"input": "/dev/stdin"' in report.read_text()
    assert capfd.readouterr() == ("", "") and below(tmp_path) == {"in.flac", "report.jsonl"}


def test_without_an_output_it_lands_in_the_current_folder(sound, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", text(Pipe(sound)))
    assert main([*ASKED, "-q", "--no-figure"], FAKE) == 0
    assert below(tmp_path) == {"in.flac", "stdin_separated.wav"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--two-stems"], "leave out --two-stems"),
        (["--json", "-", "--figure"], "leave out --figure, --json -"),
        (["-p", "y"], "leave out all prompts but one"),
    ],
)
def test_one_sound_alone(words, said, sound, monkeypatch, refused, fake):
    monkeypatch.setattr(sys, "stdin", text(Pipe(sound)))
    assert said in refused(*ASKED[:2], "-p", "x", "-o", "-", *words)


def test_terminals(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", text(Pipe(terminal=True)))
    assert main(ASKED, FAKE) == 2
    assert "nothing is piped into the standard input" in capsys.readouterr().err
    monkeypatch.setattr(sys, "stdout", text(Pipe(terminal=True)))
    assert main([*ASKED, "-o", "-"], FAKE) == 2
    assert "not to a terminal" in capsys.readouterr().err


def test_nothing_is_written_for_what_fails(monkeypatch, capsys):
    out = Pipe()
    monkeypatch.setattr(sys, "stdin", text(Pipe(b"no sound")))
    monkeypatch.setattr(sys, "stdout", text(out))
    assert main([*ASKED, "-o", "-"], FAKE) == 2 and out.getvalue() == b""
    assert capsys.readouterr().err.startswith("hsmtss: error: /dev/stdin: not an audio file")


def test_a_reader_that_leaves_early(sound, monkeypatch, capsys):
    class Left(Pipe):
        def write(self, data):
            raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(sys, "stdin", text(Pipe(sound)))
    monkeypatch.setattr(sys, "stdout", text(Left()))
    assert main([*ASKED, "-o", "-"], FAKE) == READER_LEFT and capsys.readouterr().err == ""


def test_named_pipes(sound, tmp_path, monkeypatch):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(sound,), daemon=True)
    writer.start()
    monkeypatch.chdir(tmp_path)
    assert main(["separate", str(pipe), "extract the dog", "-q", "--no-figure"], FAKE) == 0
    assert soundfile.info("pipe_separated.wav").frames == 16_000


def test_in_a_shell(sound, tmp_path):
    """<(...) and | as bash makes them; the sum of what goes by is checked on the way out."""
    program = tmp_path / "fake.py"
    program.write_text(
        "import sys; from tests.cli.conftest import FAKE; from hsmtss_jax.cli.main import main\n"
        "sys.exit(main(sys.argv[1:], FAKE))"
    )
    line = '"$0" fake.py separate <(cat in.flac) "x" -o - | "$0" fake.py separate - x -o - | cat'
    run = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}", sys.executable],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, b"")
    samples, _ = soundfile.read(io.BytesIO(run.stdout))
    assert samples.shape == (16_000, 2) and np.abs(samples).max() > 0
