"""Bad input: one clear line, a non-zero exit, nothing written."""

import numpy as np
import pytest
import soundfile

from hsmtss_jax.cli.main import main

RATE = 16000


def _wav(path, samples, rate=RATE):
    soundfile.write(path, samples, rate, subtype="FLOAT")
    return path


def _text(path):
    path.write_text("this is no sound")
    return path


def _folder(path):
    path.mkdir()
    return path


NOISE = 0.1 * np.random.default_rng(0).normal(size=RATE)
CASES = {
    "missing": (lambda p: p, "in.wav"),
    "folder": (_folder, "in.wav"),
    "text": (_text, "in.wav"),
    "empty file": (lambda p: p.touch() or p, "in.wav"),
    "no samples": (lambda p: _wav(p, np.zeros(0)), "in.wav"),
    "one sample": (lambda p: _wav(p, np.ones(1)), "short"),
    "silent": (lambda p: _wav(p, np.zeros(RATE)), "silent"),
    "nan": (lambda p: _wav(p, np.where(np.arange(RATE) == 9, np.nan, NOISE)), "NaN"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_recordings(case, tmp_path, capsys):
    make, said = CASES[case]
    source = make(tmp_path / "in.wav")
    _refused(
        ["separate", str(source), "remove the dog", "-o", str(tmp_path / "o.wav")], capsys, said
    )
    assert [path.name for path in tmp_path.iterdir() if path.name != "in.wav"] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (["--ckpt", "nowhere"], "no checkpoint at nowhere"),
        (["--overlap", "2"], "--overlap"),
        (["--temperature", "-1"], "temperature"),
        (["-o", "out.mp3"], ".wav"),
        (["-o", "nowhere/out.wav"], "does not exist"),
    ],
)
def test_bad_options(change, said, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = _wav(tmp_path / "in.wav", NOISE)
    _refused(["separate", str(source), "remove the dog", *change], capsys, said)
    assert [path.name for path in tmp_path.iterdir()] == ["in.wav"]


def test_empty_instruction(tmp_path, capsys):
    source = _wav(tmp_path / "in.wav", NOISE)
    _refused(["separate", str(source), "  "], capsys, "instruction")


def test_output_may_not_be_the_input(tmp_path, capsys):
    source = _wav(tmp_path / "in.wav", NOISE)
    before = source.read_bytes()
    _refused(["separate", str(source), "remove it", "-o", str(source)], capsys, "overwrite")
    assert source.read_bytes() == before


def _refused(argv, capsys, said):
    assert main(argv) != 0
    captured = capsys.readouterr()
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("hsmtss: error: ")
    assert said in lines[0]
