"""``hsmtss import audiosep``: a checkpoint of right names becomes a pipeline, by the command."""

import argparse

import numpy as np
import pytest
from safetensors.numpy import save_file

from hsmtss_jax.bundles.importers.separators import SeparatorSource, import_separator
from hsmtss_jax.bundles.pipeline import load_pipeline
from hsmtss_jax.cli import main
from tests.bundles.importers.audiosep_state import (
    clap_state,
    network_state,
    whole_state,
    write_roberta_files,
)


@pytest.fixture
def folder(tmp_path):
    """A download: the whole checkpoint, the network alone, CLAP alone, RoBERTa's files."""
    (tmp_path / "files").mkdir()
    write_roberta_files(tmp_path / "files")
    save_file(whole_state(), tmp_path / "files" / "audiosep.safetensors")
    save_file(network_state(), tmp_path / "files" / "network.safetensors")
    save_file(clap_state(), tmp_path / "files" / "clap.safetensors")
    return tmp_path / "files"


def run(*argv):
    return main.main(["import", "audiosep", *map(str, argv)])


def test_the_whole_checkpoint_is_a_pipeline(folder, tmp_path, capsys):
    out = tmp_path / "bundle"
    assert run(folder / "audiosep.safetensors", "-o", out, "--licence", "MIT") == 0
    assert capsys.readouterr().out.startswith("pipeline ")
    pipeline = load_pipeline(out)
    assert pipeline.architecture == "mask_separator" and pipeline.meta["licence"] == "MIT"
    network, query = pipeline.bundles["mask_separator"], pipeline.bundles["text_encoder"]
    assert query.stage == "clap_text" and "tokenizer.json" in query.files
    assert network.upstream == {"text_encoder": query.digest}
    assert network.config["model"]["sample_rate"] == 8_000
    assert network.meta == {"source": "audiosep.safetensors", "licence": "MIT"}


def test_clap_apart_gives_the_same(folder):
    whole = import_separator(SeparatorSource(network=str(folder / "audiosep.safetensors")))
    apart = import_separator(
        SeparatorSource(
            network=str(folder / "network.safetensors"), clap=str(folder / "clap.safetensors")
        )
    )
    kernels = [each["text_encoder"].params["out"]["kernel"] for each in (whole, apart)]
    np.testing.assert_array_equal(*kernels)
    digests = [each["text_encoder"].digest for each in (whole, apart)]
    assert digests[0] == digests[1] == apart["mask_separator"].upstream["text_encoder"]


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore")
def test_a_lightning_file_is_read_for_its_tensors_alone(folder, tmp_path):
    torch = pytest.importorskip("torch")
    content = {
        "state_dict": {name: torch.from_numpy(np.array(x)) for name, x in whole_state().items()},
        "epoch": np.float64(15.0),
        "args": argparse.Namespace(lr=1e-3),
        "optimizer_states": [{"state": {}, "param_groups": [{"lr": 1e-3}]}],
    }
    torch.save(content, folder / "audiosep.ckpt")
    assert run(folder / "audiosep.ckpt", "-o", tmp_path / "bundle") == 0
    assert load_pipeline(tmp_path / "bundle").architecture == "mask_separator"


def test_errors_are_one_line_and_write_nothing(folder, tmp_path, capsys):
    out = tmp_path / "bundle"

    def error(*argv):
        assert run(*argv, "-o", out) == 2 and not out.exists()
        text = capsys.readouterr().err
        assert text.startswith("hsmtss: error: ") and text.count("\n") == 1
        return text

    network = folder / "network.safetensors"
    assert "holds no CLAP beside the network: give --clap" in error(network)
    assert "holds no CLAP's text tower" in error(network, "--clap", network)
    assert "it is no AudioSep" in error(folder / "clap.safetensors")
    assert "no file or folder" in error(folder / "absent.ckpt")
    wide = {name: x for name, x in network_state().items() if "film" not in name}
    wide |= {
        name: np.tile(x, (1, 2)) if x.ndim == 2 else x
        for name, x in network_state().items()
        if "film" in name
    }
    save_file(wide, folder / "wide.safetensors")
    text = error(folder / "wide.safetensors", "--clap", folder / "clap.safetensors")
    assert "takes queries of 32 numbers, and this CLAP makes 16" in text
    (folder / "vocab.json").unlink()
    assert "give --tokenizer FacebookAI/roberta-base" in error(folder / "audiosep.safetensors")
    assert "has no tokenizer.json" in error(
        folder / "audiosep.safetensors", "--tokenizer", tmp_path
    )
    assert main.main(["import", "gpt2", str(folder), "-o", str(out), "--clap", "x"]) == 2
    assert "--clap goes with audiosep" in capsys.readouterr().err


def test_a_folder_of_something_else_is_left_alone(folder, tmp_path, capsys):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "notes.txt").touch()
    assert run(folder / "audiosep.safetensors", "-o", tmp_path / "kept") == 2
    assert "choose another folder" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["notes.txt"]
