"""A long recording whose separation is interrupted: --resume goes on."""

import json
import re
import signal

import pytest
import soundfile

from tests.cli.conftest import RATE, below, noise, write
from tests.cli.interrupted import interrupt
from tests.cli.test_separate import separate

HALF_DONE = {"in.wav", "out/.a.wav.resume"}


@pytest.mark.parametrize(
    ("number", "status", "said"),
    [
        (signal.SIGKILL, -9, ""),
        (signal.SIGTERM, 143, "hsmtss: the same command with --resume goes on\n"),
    ],
)
def test_a_killed_run_goes_on(number, status, said, tmp_path, capsys):
    source, out = write(tmp_path / "in.wav", noise(61 * RATE)), tmp_path / "out" / "a.wav"
    options = ["-o", out, "--batch=1", "--mask-from=target", "--no-figure", "--bit-depth=16"]
    argv = ["separate", source, "extract the dog", *options]
    assert interrupt(argv, number, tmp_path / "cache") == (status, said)
    assert below(tmp_path) >= HALF_DONE and not out.exists()
    assert separate(*argv[1:], "--resume", "-q") == 0 and below(tmp_path / "out") == {"a.wav"}
    resumed = soundfile.read(out)[0].tobytes()
    assert separate(*argv[1:], "-q") == 0 and capsys.readouterr().err == ""
    assert soundfile.read(out)[0].tobytes() == resumed


def test_without_resume_a_run_starts_anew(tmp_path, capsys):
    source, out = write(tmp_path / "in.wav", noise(61 * RATE)), tmp_path / "a.wav"
    (tmp_path / ".a.wav.resume").write_text("left\n")
    assert separate(source, "extract the dog", "-o", out, "--no-figure") == 0
    assert "a.wav: starting anew; --resume would have gone on" in capsys.readouterr().err
    assert below(tmp_path) == {"in.wav", "a.wav"}


def test_a_preview_is_a_part_where_most_is_heard(tmp_path, capsys):
    """Its result has a name of its own, so that --skip-existing does not take it for the whole."""
    sound = noise(70 * RATE) * 0.01
    sound[40 * RATE : 44 * RATE] *= 50
    source = write(tmp_path / "in.wav", sound)
    asked = [source, "extract the dog", "--preview", "4", "--json", tmp_path / "out.jsonl"]
    assert separate(*asked) == 0
    assert below(tmp_path) == {
        *("in.wav", "in_preview_separated.wav", "in_preview_separated.png", "out.jsonl")
    }
    assert soundfile.info(tmp_path / "in_preview_separated.wav").frames == 4 * RATE
    told = json.loads((tmp_path / "out.jsonl").read_text())
    assert told["start"] == pytest.approx(40, abs=0.2)
    assert ", 4.0 s from 40" in capsys.readouterr().out


def test_a_long_recording_has_a_forecast(tmp_path, capsys):
    source = write(tmp_path / "in.wav", noise(61 * RATE))
    asked = [source, "extract the dog", "-o", tmp_path / "a.wav", "--no-figure", "--batch", "4"]
    assert separate(*asked) == 0
    assert re.search(r"^hsmtss: 32 windows, about \d+ s left$", capsys.readouterr().err, re.M)


def test_lines_may_go_where_the_results_go(tmp_path, capsys):
    """Into a folder that is made for them, and taken away where nothing is written."""
    source, out = write(tmp_path / "in.wav"), tmp_path / "new"
    asked = ["-p", "extract the dog", "-o", out, "--json", out / "lines.jsonl", "--no-figure"]
    assert separate(source, *asked) == 0
    assert below(out) == {"in_target.wav", "lines.jsonl"}
    assert separate(source, *asked[:-2], tmp_path / "absent" / "lines.jsonl") == 2
    assert "cannot be written there" in capsys.readouterr().err
