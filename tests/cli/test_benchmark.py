"""``hsmtss benchmark report``: from a run's log to a page, with sounds where the recordings are."""

import json
import re

import numpy as np
import pytest

from hsmtss_jax.audio.io import write_audio
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.main import main
from hsmtss_jax.testing.fake_runtime import FakeRuntime
from hsmtss_jax.testing.mask_systems import FakeMaskSystem

CONTEXT = Context(load_runtime=lambda *_: FakeRuntime())


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of four pairs at 32 kHz: its folder, with pairs.csv and run.jsonl."""
    folder = tmp_path_factory.mktemp("benchmark")
    for i in range(4):
        tone = 0.2 * np.sin(2 * np.pi * 300 * (i + 1) * np.arange(16_000) / 32_000)
        write_audio(folder / f"{i}.wav", tone + 0.01 * np.sign(tone), 32_000)
    lines = [f"p{i},sound {i},{i}.wav,{(i + 1) % 4}.wav" for i in range(4)]
    (folder / "pairs.csv").write_text("\n".join(["name,text,target,other", *lines]))
    words = ["benchmark", "run", str(folder / "pairs.csv"), "--modes=mask", "--rate=32000"]
    assert main([*words, f"--log={folder / 'run.jsonl'}"], CONTEXT) == 0
    return folder


def report(run, *words):
    page = run / "pages" / "report.html"
    argv = ["benchmark", "report", str(run / "run.jsonl"), "-o", str(page), *words]
    status = main(argv, CONTEXT)
    return status, page


def test_a_page_with_sounds(run, capsys):
    status, page = report(run, f"--pairs={run / 'pairs.csv'}", "--clips=2")
    assert status == 0 and "2 clips" in capsys.readouterr().out
    html = page.read_text()
    assert html.count("<audio") == html.count("<img") == 8  # target, mixture, ideal mask, mask
    assert "not quite as scored" not in html and "0 to 16 kHz, 0.5 s" in html
    assert "The worst" in html and "About the median" in html and "The best" not in html


def test_the_same_clips_every_time(run):
    pages = [report(run, "--clips=3")[1].read_text() for _ in range(2)]
    assert pages[0] == pages[1] and "<audio" not in pages[0]
    assert len(re.findall("class=clip", pages[0])) == 3


def test_bad_input_is_one_line(run, tmp_path, capsys):
    other = tmp_path / "pairs.csv"
    other.write_text("name,text,target,other\n0,a,b.wav,c.wav\n")
    for words, said in (
        ([f"--pairs={other}"], "is not the list of this run"),
        (["--by=fun"], "mask has no fun: choose of mel_psnr"),
        (["--route=blend"], "no score is of the route blend"),
        (["-o", str(tmp_path / "report.txt")], "is to be a page"),
    ):
        assert report(run, *words)[0] == 2
        error = capsys.readouterr().err
        assert error.startswith("hsmtss: error: ") and error.count("\n") == 1 and said in error


def test_a_metric_by_description(run, tmp_path, capsys):
    lines = [f"p{i},a tone,{i}.wav,{(i + 1) % 4}.wav" for i in range(4)]
    pairs, log = run / "tones.csv", tmp_path / "run.jsonl"
    pairs.write_text("\n".join(["name,text,target,other", *lines]))
    assert main(["benchmark", "run", str(pairs), "--no-ours", f"--log={log}"]) == 0
    capsys.readouterr()
    assert main(["benchmark", "table", str(log), "--classes=sdri"]) == 0
    assert "| a tone (4) |" in capsys.readouterr().out
    assert main(["benchmark", "table", str(log), "--classes=fun"]) == 2
    assert "no metric 'fun': choose of mel_psnr" in capsys.readouterr().err
    page = tmp_path / "page.html"
    assert main(["benchmark", "report", str(log), "-o", str(page)]) == 0
    assert "by description</summary>" in page.read_text()


def test_another_bundle_is_refused(run, capsys):
    class Other(FakeRuntime):
        def __init__(self):
            super().__init__()
            self.pipeline.bundles = {"separator": self.pipeline}
            self.pipeline.digest = "1"

    page = run / "x.html"
    words = ["benchmark", "report", str(run / "run.jsonl"), "-o", str(page)]
    context = Context(load_runtime=lambda *_: Other())
    assert main([*words, f"--pairs={run / 'pairs.csv'}"], context) == 2
    assert "made with another bundle" in capsys.readouterr().err and not page.exists()


def test_further_systems_have_rows_and_sounds(run, tmp_path, capsys):
    def load(source, *_):
        return FakeMaskSystem({f"sound {i}": 0.5 for i in range(4)}) if source else FakeRuntime()

    context, log = Context(load_runtime=load), tmp_path / "run.jsonl"
    pairs = str(run / "pairs.csv")
    words = ["benchmark", "run", pairs, "--system=theirs=bundle", "--modes=mask", f"--log={log}"]
    assert main([*words, "-o", str(tmp_path / "run.json")], context) == 0
    summary = json.loads((tmp_path / "run.json").read_text())["summary"]["extract"]
    assert summary["theirs"]["sdr"]["mean"] == pytest.approx(3.0, abs=0.3)
    assert {"mask", "theirs", "theirs - mixture"} <= set(summary)
    page = tmp_path / "report.html"
    words = ["benchmark", "report", str(log), "-o", str(page), f"--pairs={pairs}", "--clips=1"]
    assert main([*words, "--system=theirs=bundle"], context) == 0
    assert page.read_text().count("<audio") == 5
    assert main(words, context) == 0 and page.read_text().count("<audio") == 4
    capsys.readouterr()
    assert main([*words, "--system=theirs"], context) == 2
    assert "is to be NAME=BUNDLE" in capsys.readouterr().err
