"""The codec's table: entropy, intervals, peers, and the command on the tiny corpus."""

import json
import sys

import numpy as np
import pytest

from hsmtss_jax.bundles.bundle import save_bundle
from hsmtss_jax.cli.main import main
from hsmtss_jax.evaluation import codec
from hsmtss_jax.evaluation.pooling import ClipWindow
from hsmtss_jax.testing.bundles import tiny_upstream
from hsmtss_jax.testing.corpus import write_tiny_corpus


@pytest.fixture(scope="module")
def arguments(tmp_path_factory):
    folder = tmp_path_factory.mktemp("codec")
    save_bundle(folder / "tf_codec", tiny_upstream(["tf_codec"])["tf_codec"])
    corpus = write_tiny_corpus(folder)
    return ["evaluate", "codec", f"--data={corpus}", f"--tf-codec={folder / 'tf_codec'}"]


class Steps:
    """A codec of one group of four codes, one a quarter of a second; its sound is half the clip's."""

    name, parameters, groups, codes, frame_rate = "steps", 7, 1, 4, 4.0

    def prepare(self, samples):
        return 1.5

    def code(self, clip):
        frames = -(-len(clip) // 4_000)
        return codec.Coded(np.arange(frames)[:, None] % 4, 0.5 * clip)


def test_entropy_of_counts():
    counts = np.zeros((2, 4), np.int64)
    codec.count_codes(counts, np.array([[0, 3], [1, 3], [2, 3], [3, 3]]))
    np.testing.assert_array_equal(counts, [[1, 1, 1, 1], [0, 0, 0, 4]])
    assert codec.entropy_bits(counts) == 2.0


def test_a_row_holds_scores_rates_and_speed():
    rng = np.random.default_rng(0)
    clips = [
        ClipWindow(i, rng.normal(0, 0.1, 16_000).astype(np.float32), 16_000 - 1_000 * i)
        for i in range(3)
    ]
    heard = []

    def judge(estimate, reference):
        heard.append(len(reference))
        return 4.0 if len(heard) > 1 else float("nan")

    row = codec.evaluate(Steps(), clips, samples=16_000, judge=judge)
    assert heard == [16_000, 15_000, 14_000] and row.compile_seconds == 1.5
    assert (row.raw_kbps, row.entropy_kbps) == (0.008, pytest.approx(0.008))
    assert row.estimates["visqol"].mean == 4.0 and row.estimates["visqol"].skipped == 1
    # Halved everywhere: LSD, which levels both, is blind to it; MEL-D has 2 log10(2) a scale, and more.
    assert row.estimates["lsd"].mean < 1e-3
    assert row.estimates["mel_d"].mean > 4 * np.log10(2)
    report = codec.report([row], ["a", "b", "c"], {}, ["dac left out"])
    table, document = report.table(), report.to_json()
    assert "| steps |" in table and "(1 skipped)" in table and table.endswith("dac left out\n")
    assert json.dumps(document) and len(document["rows"]["steps"]) == 3
    with pytest.raises(ValueError, match="no clip"):
        codec.evaluate(Steps(), [], samples=16_000)


def test_the_command(arguments, tmp_path, capsys):
    out = tmp_path / "new" / "codec.json"
    options = ["--count=3", "--seconds=1", "--no-visqol", "-o", str(out)]
    assert main([*arguments, *options]) == 0
    document = json.loads(out.read_text())
    summary = document["summary"]["TF-Codec"]
    assert summary["raw_kbps"] == 4 * 5 * 50 / 1000
    assert 0 < summary["entropy_kbps"] < summary["raw_kbps"]
    assert summary["parameters"] > 1000 and summary["real_time_factor"] > 0
    assert summary["mel_d"]["count"] == 3 and "visqol" not in summary
    assert "| TF-Codec |" in capsys.readouterr().out
    assert "real-time factor" in out.with_suffix(".md").read_text()


def test_what_is_out_of_reach_is_said(arguments, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "visqol", None)
    out = tmp_path / "codec.json"
    options = ["--count=1", "--seconds=1", "--peer=dac", "-o", str(out)]
    assert main([*arguments, *options]) == 0  # tests run with the hub switched off
    error = capsys.readouterr().err
    assert "ViSQOL left out: it needs visqol-python" in error and "dac left out: " in error
    notes = json.loads(out.read_text())["notes"]
    assert len(notes) == 2 and "dac left out" in out.with_suffix(".md").read_text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--peer=mp3"], "--peer mp3: write encodec or dac"),
        (["--peer=dac="], "--peer dac="),
        (["--seconds=0"], "--seconds: must be at least 0.1"),
        (["--count=0"], "--count: must be at least 1"),
        (["--split=none"], "no split 'none'"),
    ],
)
def test_bad_input_is_one_line(arguments, options, said, capsys):
    assert main([*arguments, "--no-visqol", *options]) == 2
    error = capsys.readouterr().err
    assert error.startswith("hsmtss: error: ") and error.count("\n") == 1 and said in error


@pytest.mark.extra
def test_a_peer_that_is_not_there_is_one_line(arguments, capsys):
    pytest.importorskip("torch", reason="peers run in PyTorch: extra codecs")
    assert main([*arguments, "--no-visqol", "--peer=dac=/absent/folder"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("hsmtss: error: ") and error.count("\n") == 1
    assert "no file or folder /absent/folder" in error
