"""``hsmtss data inspect`` and ``hsmtss speed data``, and what the makers of mixtures refuse."""

import json

import pytest

from hsmtss_jax.cli.main import main
from hsmtss_jax.testing.corpus import write_tiny_corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_tiny_corpus(tmp_path_factory.mktemp("clips"))


def test_inspect_writes_a_report_and_a_page(corpus, tmp_path, capsys):
    few = ["--mixtures", "6", "--players", "2", "--compared", "8", "--seconds", "0.02"]
    form = ["--size", "tiny", "--set", f"root={corpus}", "--samples", "8000", *few]
    assert main(["data", "inspect", str(tmp_path / "page"), *form]) == 0
    assert "train: 24 clips" in capsys.readouterr().out
    report = json.loads((tmp_path / "page" / "report.json").read_text())
    assert report["clips of train"]["clips"] == 24 and report["mixtures of test"]["mixtures"] == 6
    assert "recordings in two splits" in report and "mixture" in report["examples a second"]
    page = (tmp_path / "page" / "index.html").read_text()
    assert page.count("<audio") == 6 and "clips of validation" in page


def test_speed_prints_a_table(corpus, capsys):
    form = ["--size", "tiny", "--set", f"root={corpus}", "--samples", "8000", "--seconds", "0.02"]
    assert main(["speed", "data", *form]) == 0
    table = capsys.readouterr().out
    assert "| raw read |" in table and "| mixture |" in table


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["manifest", "OUT"], "say how many"),
        (["manifest", "OUT", "--train", "3", "--set", "rood=x"], "did you mean 'root'"),
        (
            ["manifest", "OUT", "--train", "3", "--size", "tiny", "--set", "root=none"],
            "no prepared",
        ),
        (["mixtures", "none", "OUT", "--size", "tiny"], "no manifest in none"),
        (["inspect", "OUT"], "no prepared data set in corpora/audiocaps"),
    ],
)
def test_errors_are_one_line(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["data", *words]) != 0
    told = capsys.readouterr().err
    assert message in told and len(told.strip().splitlines()) == 1
    assert not (tmp_path / "OUT").exists()
