"""The command line: dispatch, one-line errors, upstream checks, export."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from hsmtss_jax.bundles.bundle import Bundle, load_bundle, save_bundle
from hsmtss_jax.cli.export import bundle_of_run
from hsmtss_jax.cli.main import main
from hsmtss_jax.conversion import to_json
from hsmtss_jax.stages import STAGES
from hsmtss_jax.train.loop import train
from hsmtss_jax.train.stage import Panel
from tests.train.toy import ToyStage, toy_config, toy_stage


def test_errors_are_one_line(refused, tmp_path):
    assert "unknown command 'fly': choose one of train, " in refused("fly")
    assert "unknown argument --flye" in refused("--flye")
    assert "hsmtss codec needs a task: encode, decode, info" in refused("codec")
    assert "no config file" in refused("train", "absent.py", "--size", "tiny")
    assert "neither a bundle" in refused("export", tmp_path, tmp_path / "out")


@pytest.mark.parametrize("place", [0, 1, 2, 4])
def test_debug_shows_the_traceback_wherever_it_stands(place):
    argv = ["train", "absent.py", "--size", "tiny"]
    with pytest.raises(FileNotFoundError):
        main([*argv[:place], "--debug", *argv[place:]])


def test_debug_may_be_a_value(capsys):
    """As the text of a prompt: what is a value is no option."""
    assert main(["separate", "--plan", "--prompt=--debug"]) == 0
    assert '"text": "--debug"' in capsys.readouterr().out
    assert main(["separate", "--prompt=--debug", "absent.wav"]) == 2
    assert "no such file" in capsys.readouterr().err


@pytest.mark.parametrize("front", [[], ["-q"], ["a.wav", "-o", "out"]])
def test_words_behind_two_dashes_are_no_options(front, capsys):
    assert main(["separate", "--plan", *front, "--", "-lead.wav", "-remove x"]) == 0
    assert '"text": "-remove x"' in capsys.readouterr().out


def test_a_platform_that_is_not_here_is_a_line(refused, monkeypatch):
    def absent(**options):
        raise AssertionError

    monkeypatch.setattr("jax.local_devices", absent)
    assert "JAX_PLATFORMS=cpu: there is no such device here" in refused("doctor")


def test_usage_and_version(capsys):
    assert main([]) == 2 and main(["--help"]) == 0 and main(["--version"]) == 0
    assert "separate" in capsys.readouterr().out


@pytest.mark.parametrize("argv", [["--help"], ["evaluate", "--help"], ["separate", "--help"]])
def test_help_loads_no_jax(argv):
    code = "import sys; from hsmtss_jax.cli.main import main; main(sys.argv[1:])\n"
    code += "sys.exit(3 if 'jax' in sys.modules else 0)"
    command = [sys.executable, "-c", code, *argv]
    assert subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0


def test_as_a_module():
    command = [sys.executable, "-m", "hsmtss_jax", "--version"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.startswith(
        "hsmtss "
    )


def make_bundle(stage: str, upstream=None, value: float = 0.0) -> Bundle:
    params = {"kernel": np.full((2,), value, np.float32)}
    return Bundle(stage=stage, config={"name": stage}, params=params, upstream=upstream or {})


def test_export_of_a_bundle(capsys, tmp_path):
    saved = save_bundle(tmp_path / "mae", make_bundle("audio_mae"))
    argv = ["export", saved.path.as_posix(), str(tmp_path / "small"), "--storage", "int8"]
    assert main(argv) == 0
    assert load_bundle(tmp_path / "small").digest == saved.digest
    assert "audio_mae" in capsys.readouterr().out


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setitem(STAGES, "toy", "tests.train.toy:ToyStage")


class Showing(ToyStage):
    """Shows an image and a sound."""

    def panels(self, inputs):
        image, sound = Panel("image", np.eye(4)), Panel("audio", np.zeros(160, np.float32))
        return {"weights": image, "decoded": sound}


def test_export_takes_a_config_of_ours_by_name(refused, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert "no bundle at runs/" in refused("export", "pipeline", "out", "--size", "tiny")
    assert "not PipelineConfig" in refused("export", "audio_mae", "out", "--size", "tiny")
    (tmp_path / "pipeline").mkdir()  # what is there goes before a name
    assert "neither a bundle" in refused("export", "pipeline", "out", "--size", "tiny")


def test_export_of_a_run(registered, tmp_path):
    run = dataclasses.replace(toy_config().run, steps=3, save_every=1, eval_every=2, keep=3)
    config = toy_config(run=run)
    train(config, toy_stage(config), tmp_path / "run", quiet=True)
    final = load_bundle(tmp_path / "run" / "bundle")
    latest = bundle_of_run(tmp_path / "run")
    np.testing.assert_array_equal(
        latest.params["net"]["out"]["kernel"], final.params["net"]["out"]["kernel"]
    )
    assert main(["export", str(tmp_path / "run"), str(tmp_path / "out")]) == 0
    assert load_bundle(tmp_path / "out").digest == final.digest
    assert bundle_of_run(tmp_path / "run", "1").meta["step"] == 1
    assert bundle_of_run(tmp_path / "run", "best").meta["step"] in (2, 3)
    with pytest.raises(ValueError, match=r"no checkpoint 9 .* one of \[1, 2, 3\]"):
        bundle_of_run(tmp_path / "run", "9")


def test_visualize_a_run(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(STAGES, "toy", "tests.cli.test_main:Showing")
    config = toy_config(run=dataclasses.replace(toy_config().run, steps=1))
    train(config, toy_stage(config), tmp_path / "run", quiet=True)
    out = tmp_path / "figures" / "panels.png"
    argv = ["visualize", "run", str(tmp_path / "run"), "-o", str(out)]
    assert main(argv) == 0
    assert {path.name for path in out.parent.iterdir()} == {"panels.png", "panels_decoded.wav"}
    assert main([*argv, "--batch", "99"]) == 2
    assert main(["visualize", "run", str(tmp_path), "-o", str(out)]) == 2
    assert capsys.readouterr().err.count("\n") == 2


def test_train_command(registered, tmp_path, capsys):
    path = tmp_path / "toy.py"
    path.write_text(
        "from tests.train.toy import toy_config\ndef get_config(size):\n    return toy_config()\n"
    )
    argv = ["train", str(path), "--size", "tiny", "run.steps=7", "--print-config"]
    assert main(argv) == 0
    expected = toy_config(run=dataclasses.replace(toy_config().run, steps=7))
    assert capsys.readouterr().out == to_json(expected) + "\n"
    argv = ["train", str(path), "--size", "tiny", "--set", "run.steps=2", "run.eval_every=0"]
    assert main([*argv, "-q", "--workdir", str(tmp_path / "run")]) == 0
    assert load_bundle(tmp_path / "run" / "bundle").meta["step"] == 2
