"""The tasks of ``hsmtss evaluate`` from the command line, on tiny random bundles."""

import importlib.machinery
import importlib.util
import json
import sys

import pytest

from hsmtss_jax.bundles.bundle import save_bundle
from hsmtss_jax.bundles.hub import demo_bundle
from hsmtss_jax.bundles.pipeline import ROLES as PIPELINE_ROLES
from hsmtss_jax.cli.main import main
from hsmtss_jax.testing.bundles import tiny_upstream
from hsmtss_jax.testing.corpus import write_tiny_corpus

ROLES = ("audio_mae", "text_encoder", "q_audio")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_tiny_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    """Role -> the option that names its bundle."""
    folder = tmp_path_factory.mktemp("bundles")
    for role, bundle in tiny_upstream(ROLES).items():
        save_bundle(folder / role, bundle)
    return {role: f"--{role.replace('_', '-')}={folder / role}" for role in ROLES}


def test_retrieval(corpus, bundles, tmp_path, capsys):
    out = tmp_path / "new" / "retrieval.json"
    argv = ["evaluate", "retrieval", f"--data={corpus}", *bundles.values(), "--batch=3"]
    assert main([*argv, "--crops=2", "-o", str(out)]) == 0
    document = json.loads(out.read_text())
    assert document["about"]["clips"] == 8 and document["about"]["texts"] == 24
    assert document["summary"]["text_to_audio, chance"]["recall_1"] == pytest.approx(1 / 8)
    assert len(document["rows"]["audio_to_text"]) == 8
    assert "| text to audio |" in capsys.readouterr().out
    assert "chance" in out.with_suffix(".md").read_text()
    assert main([*argv, "--captions=1", "--count=5", "--duplicates=separate"]) == 0
    assert "| 5 | 5 |" in capsys.readouterr().out


def test_probe(corpus, bundles, tmp_path, capsys):
    out = tmp_path / "probe.json"
    argv = ["evaluate", "probe", f"--data={corpus}", bundles["audio_mae"], "--batch=3", "-q"]
    quick = ["--hidden=8", "--epochs=3", "--seeds=1", "--dropout", "0.1", "--lr", "0.01"]
    assert main([*argv, *quick, "--features", "s", "logmel", "random", "-o", str(out)]) == 0
    document = json.loads(out.read_text())
    summary = set(document["summary"])
    assert summary == {"s", "logmel", "random", "s - logmel", "s - random", "chance"}
    assert document["about"]["training"]["logmel"]["width"] == 128
    assert document["about"]["rounds"] == [[24, 8, 8]] and len(document["rows"]["s"]) == 8
    table = capsys.readouterr().out
    assert "S of random weights" in table and "commonest class" in table


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["fly"], "unknown task 'fly': choose one of separation, folder, presence, "),
        (["retrieval", "--data", "nowhere"], "no prepared data set in nowhere"),
        (["retrieval", "--crops", "0"], "--crops: must be at least 1"),
        (["probe", "--data", "nowhere"], "no data set at nowhere"),
        (["probe", "--dropout", "1"], "--dropout: must be at least 0"),
        (["probe", "--lr", "0"], "--lr: must be above 0"),
        (["probe", "--lr", "inf"], "--lr: must be above 0"),
        (["probe", "-o", "table.md"], "give a name like report.json"),
        (["retrieval", "-o", "/"], "give a name like report.json"),
        (["captioning", "--beams", "0"], "--beams: must be at least 1"),
        (["separation", "--count", "0"], "--count"),
        (["--count", "0"], "--count"),
        (["separation", "--judge", "nowhere"], "no judge nowhere: give yamnet, or the folder of a"),
    ],
)
def test_bad_input_is_one_line(argv, said, capsys):
    assert main(["evaluate", *argv]) == 2
    error = capsys.readouterr().err
    assert error.startswith("hsmtss: error: ") and error.count("\n") == 1 and said in error


def test_bundles_that_do_not_fit_are_refused(corpus, bundles, capsys):
    swapped = [f"--q-audio={bundles['audio_mae'].partition('=')[2]}", bundles["audio_mae"]]
    argv = ["evaluate", "retrieval", f"--data={corpus}", bundles["text_encoder"]]
    assert main([*argv, *swapped]) == 2
    assert "is a bundle of audio_mae, not of q_audio" in capsys.readouterr().err
    argv = ["evaluate", "retrieval", f"--data={corpus}", *bundles.values(), "--ckpt=nowhere"]
    assert main(argv) == 2 and "--ckpt is of no use" in capsys.readouterr().err


def test_a_captioner_must_be_given(corpus, tmp_path, capsys, monkeypatch):
    empty = importlib.util.module_from_spec(importlib.machinery.ModuleSpec("pycocoevalcap", None))
    monkeypatch.setitem(sys.modules, "pycocoevalcap", empty)
    document = json.loads((demo_bundle() / "pipeline.json").read_text())
    document["roles"] = list(PIPELINE_ROLES)
    (tmp_path / "pipeline.json").write_text(json.dumps(document))
    assert main(["evaluate", "captioning", f"--data={corpus}", f"--ckpt={tmp_path}"]) == 2
    assert "holds no gpt2: export it with captioner=true, or give --gpt2" in capsys.readouterr().err


def test_help_names_the_tasks(capsys):
    assert main(["evaluate", "--help"]) == 0
    assert "retrieval" in capsys.readouterr().out
