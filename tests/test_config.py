"""Configs: a Python file, found by path or by name, gives one at a size."""

import importlib
from pathlib import Path

import pytest

from hsmtss_jax import config as C


def test_load_config(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "from hsmtss_jax.config import ExperimentConfig, StageConfig\n"
        "def get_config(size):\n    return ExperimentConfig(stage=StageConfig(name=size))\n"
    )
    assert C.load_config(path, "tiny").stage.name == "tiny"
    with pytest.raises(ValueError, match="paper, base, demo, tiny"):
        C.load_config(path, "huge")


@pytest.mark.parametrize(
    ("text", "words"),
    [("x = 1\n", "no get_config"), ("def get_config(size):\n    return 3\n", "returned int")],
)
def test_load_config_refuses_other_files(tmp_path, text, words):
    path = tmp_path / "other.py"
    path.write_text(text)
    with pytest.raises(ValueError, match=words):
        C.load_config(path, "tiny")


def test_load_config_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="no config file"):
        C.load_config(tmp_path / "absent.py", "tiny")


@pytest.mark.parametrize("name", ["audio_mae", "tf_codec_adversarial"])
def test_our_configs_are_found_by_name(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert C.find_config(name).name == f"{name}.py" and C.find_config(name).is_file()
    assert C.load_config(name, "tiny").stage.name in name
    module = importlib.import_module(f"hsmtss_jax.configs.{name}")
    assert module.get_config("tiny") == C.load_config(name, "tiny")


def test_a_path_is_taken_as_it_is_and_other_names_are_refused():
    assert C.find_config("deep/mine.py") == Path("deep/mine.py")
    for name in ("audio_mea", "common", "__init__"):
        with pytest.raises(ValueError, match=rf"no config '{name}': .* audio_mae, captioner"):
            C.find_config(name)
