"""A short run of ``python -m tests.fuzz``, with a seed of its own; and that faults would be seen."""

import numpy as np
import pytest
import soundfile

from tests.fuzz.__main__ import tally
from tests.fuzz.files import DAMAGES, odd_file
from tests.fuzz.verdicts import FAULTS, Ran, judge, judge_files, judge_results

SEED = 20_261


@pytest.mark.parametrize("kind", ["files", "commands"])
def test_nothing_goes_wrong(kind):
    said = []
    found = tally(kind, 30, SEED, say=said.append)
    assert sum(found[fault] for fault in FAULTS) == 0, "\n".join(said)
    assert found["separated"] >= 5 and found["refused"] >= 3


def test_a_seed_draws_the_same_files():
    """But for what encoders write of the time, and the serial numbers of Ogg streams."""
    first, second = ([odd_file(np.random.default_rng([3, n])) for n in range(40)] for _ in range(2))
    kinds = [(file.kind, file.suffix, file.frames) for file in first]
    assert kinds == [(file.kind, file.suffix, file.frames) for file in second]
    assert len(set(kinds)) > 30
    content = bytes(range(200)) + b"data" + bytes(50)
    assert len({damage(np.random.default_rng(1), content)[0] for damage in DAMAGES}) > 5


@pytest.mark.parametrize(
    ("ran", "faults"),
    [
        (Ran(0, "", "", "", ""), []),
        (Ran(2, "", "hsmtss: error: x\n", "", ""), []),
        (Ran(2, "", "", "", ""), ["no line"]),
        (Ran(-1, "", "", "", "Traceback ..."), ["traceback"]),
        (Ran(0, "", "mpg123: x\n", "", ""), ["chatter"]),
        (Ran(0, "", "", "[mp3 @ 1] x", ""), ["chatter"]),
        (Ran(77, "", "", "", ""), ["odd status"]),
    ],
)
def test_faults_of_lines(ran, faults):
    assert judge(ran) == faults


def test_faults_of_files(tmp_path):
    fine, sound = Ran(0, "", "", "", ""), np.full((800, 1), 0.1)

    def write(name, samples):
        soundfile.write(tmp_path / name, samples, 8_000, subtype="FLOAT")

    write("in.wav", sound)
    (tmp_path / "report.jsonl").write_text('{"gain": 1.0}')
    assert judge_files(fine, tmp_path, "in.wav", 800) == ["no file"]
    write("out.wav", sound / 2)
    assert judge_files(fine, tmp_path, "in.wav", 800) == ["half a file"]
    write("out_residual.wav", sound / 2)
    assert judge_files(fine, tmp_path, "in.wav", 800) == []
    assert judge_files(fine, tmp_path, "in.wav", 900) == ["samples lost"]
    write("out.wav", sound)
    assert judge_files(fine, tmp_path, "in.wav", 800) == ["sum differs"]
    assert judge_files(Ran(2, "", "", "", ""), tmp_path, "in.wav", 800) == ["half a file"]
    assert judge_results(fine, tmp_path, "in.wav") == []
    (tmp_path / ".out.wav.tmp").touch()
    assert judge_results(fine, tmp_path, "in.wav") == ["half a file"]
