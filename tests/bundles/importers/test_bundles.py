"""``hsmtss import``: public files to bundles, through the command."""

import json

import numpy as np
import pytest
from flax import serialization
from safetensors.numpy import save_file

from hsmtss_jax.bundles.bundle import load_bundle
from hsmtss_jax.cli import main
from hsmtss_jax.conversion import from_dict
from hsmtss_jax.models.audio_mae import AudioMAEConfig
from hsmtss_jax.models.gpt2 import GPT2Config
from hsmtss_jax.models.text.encoder import TextEncoderConfig
from hsmtss_jax.stages.audio_mae import AudioMAEStageConfig
from tests.bundles.importers.synthetic import GPT2, audio_mae_state, gpt2_state, mw_mae_params
from tests.bundles.importers.test_text import BERT, T5, synthetic_state

TOKENIZER = {
    "version": "1.0",
    "added_tokens": [],
    "normalizer": None,
    "pre_tokenizer": {"type": "Whitespace"},
    "post_processor": None,
    "decoder": None,
    "model": {"type": "WordLevel", "vocab": {"<pad>": 0, "dog": 1}, "unk_token": "<pad>"},
    "padding": {"length": 128},
    "truncation": {"length": 128},
}


def model_folder(folder, config, state):
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text(json.dumps(TOKENIZER))
    save_file(state, folder / "model.safetensors")
    return folder


def run(*argv):
    return main.main(["import", *map(str, argv)])


def test_audio_mae(tmp_path, capsys):
    save_file(audio_mae_state(decoder=True), tmp_path / "audiomae.safetensors")
    out = tmp_path / "bundle"
    assert run("audio_mae", tmp_path / "audiomae.safetensors", "-o", out, "--heads", 2) == 0
    assert capsys.readouterr().out.startswith("audio_mae ")
    bundle = load_bundle(out)
    config = from_dict(AudioMAEStageConfig, bundle.config).model
    assert bundle.stage == "audio_mae" and config == from_dict(
        AudioMAEConfig, bundle.config["model"]
    )
    assert config.cls_token and bundle.params["encoder"]["pos"].shape == (1, 33, 16)
    assert bundle.meta == {"source": "audiomae.safetensors", "licence": "see the source"}


def test_mw_mae(tmp_path):
    (tmp_path / "checkpoint_1").write_bytes(serialization.msgpack_serialize(mw_mae_params()))
    assert run("mw_mae", tmp_path / "checkpoint_1", "-o", tmp_path / "out", "--heads", 2) == 0
    bundle = load_bundle(tmp_path / "out")
    assert bundle.stage == "mw_mae" and set(bundle.params["encoder"]) == {"transformer"}


@pytest.mark.parametrize("hf", [T5, BERT], ids=["t5", "bert"])
def test_text_encoder(tmp_path, hf):
    folder = model_folder(tmp_path / "model", hf, synthetic_state(hf))
    out = tmp_path / "bundle"
    assert run("text_encoder", folder, "-o", out, "--licence", "MIT") == 0
    bundle = load_bundle(out)
    assert from_dict(TextEncoderConfig, bundle.config["model"]).kind == hf["model_type"]
    assert bundle.meta == {"source": "model", "licence": "MIT"}
    tokenizer = json.loads(bundle.files["tokenizer.json"])
    assert tokenizer["padding"] is None and tokenizer["truncation"] is None


def test_gpt2(tmp_path):
    folder = model_folder(tmp_path / "gpt2", GPT2, gpt2_state())
    out = tmp_path / "bundle"
    assert run("gpt2", folder, "-o", out, "--storage", "bfloat16") == 0
    bundle = load_bundle(out)
    assert from_dict(GPT2Config, bundle.config["model"]).depth == 2
    assert bundle.params["embedding"]["embedding"].dtype == np.float32


def test_errors_are_one_line_and_write_nothing(tmp_path, capsys):
    folder = model_folder(tmp_path / "gpt2", GPT2, gpt2_state())
    (folder / "config.json").write_text("{")

    def error(*argv):
        assert run(*argv, "-o", tmp_path / "out") == 2
        text = capsys.readouterr().err
        assert text.startswith("hsmtss: error: ") and text.count("\n") == 1
        return text

    assert "config.json is not JSON" in error("gpt2", folder)
    assert "leave it out" in error("gpt2", folder, "--heads", 2)
    (folder / "config.json").unlink()
    assert "has no config.json" in error("gpt2", folder)
    assert "no AudioMAE" in error("audio_mae", folder)
    assert "by hand" in error("text_encoder", "nobody/no-such-model")  # the hub is switched off
    assert "no file or folder" in error("audio_mae", tmp_path / "absent.pth")
    assert "at least 1" in error("audio_mae", folder, "--heads", 0)
    assert not (tmp_path / "out").exists()


def test_the_output_is_looked_at_first(tmp_path, capsys):
    (tmp_path / "file").touch()
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "notes.txt").touch()
    for output, message in (
        ("file", "is a file"),
        ("file/sub", "is a file"),
        ("kept", "not a bundle"),
    ):
        assert run("audio_mae", tmp_path / "absent.pth", "-o", tmp_path / output) == 2
        assert message in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "kept", "notes.txt"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.json", b"[1]", "maps no names to values"),
        ("config.json", b"\xff\xfe", "is not JSON"),
        ("tokenizer.json", b"[1]", "maps no names to values"),
        ("tokenizer.json", b"{}", "not a fast tokenizer's file"),
        (
            "tokenizer.json",
            json.dumps(TOKENIZER).replace("1}", "29}").encode(),
            "than the model's 29",
        ),
    ],
)
def test_a_damaged_folder_is_refused(tmp_path, capsys, name, content, message):
    folder = model_folder(tmp_path / "gpt2", GPT2, gpt2_state())
    (folder / name).write_bytes(content)
    assert run("gpt2", folder, "-o", tmp_path / "out") == 2
    assert message in capsys.readouterr().err and not (tmp_path / "out").exists()
