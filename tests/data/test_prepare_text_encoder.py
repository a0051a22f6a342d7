"""The text encoder build step, on a tiny model folder with public names."""

import importlib.util
import json
from pathlib import Path

import pytest
from safetensors.numpy import save_file

from hsmtss_jax.bundles.bundle import load_bundle, save_bundle
from hsmtss_jax.models.text.tokenizer import Tokenizer
from tests.bundles.importers.test_text import BERT, synthetic_state
from tests.models.text.test_tokenizer import bert_json

SCRIPT = Path(__file__).parents[2] / "data" / "text_encoder" / "prepare.py"


@pytest.fixture(scope="module")
def prepare():
    spec = importlib.util.spec_from_file_location("prepare_text_encoder", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def model_folder(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(BERT))
    (folder / "tokenizer.json").write_text(bert_json())
    save_file(synthetic_state(BERT), folder / "model.safetensors")
    return folder


@pytest.mark.parametrize("storage", ["float32", "int8"])
def test_writes_a_bundle(prepare, model_folder, tmp_path, capsys, storage):
    out = tmp_path / "bundle"
    prepare.main(["--source", str(model_folder), "--out", str(out), "--storage", storage])
    bundle = load_bundle(out)
    assert bundle.stage == "text_encoder" and bundle.config["model"]["kind"] == "bert"
    assert bundle.params["embedding"]["embedding"].shape == (50, 24)
    ids, mask = Tokenizer.from_bundle(bundle)(["a dog"], 6)  # its own padding to 128 is gone
    assert ids.shape == (1, 6) and mask.sum() == 4
    mean = float(capsys.readouterr().out.split("mean ")[1].split()[0])
    assert mean > 0.999 if storage == "int8" else mean > 0.999999


def test_digest_does_not_depend_on_storage(prepare, model_folder, tmp_path):
    bundle = prepare.read_folder(model_folder, name="x")
    full = save_bundle(tmp_path / "full", bundle)
    small = save_bundle(tmp_path / "small", bundle, storage="int8")
    assert full.digest == small.digest == load_bundle(tmp_path / "small").digest


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_incomplete_folder(prepare, model_folder, name):
    (model_folder / name).unlink()
    with pytest.raises(OSError, match="has no"):
        prepare.read_folder(model_folder, name="x")
