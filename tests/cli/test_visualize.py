"""The figures from the command line, on tiny random bundles."""

import numpy as np
import pytest
import soundfile

from hsmtss_jax.bundles.bundle import save_bundle
from hsmtss_jax.bundles.pipeline import ROLES, SEPARATORS, PipelineConfig, assemble
from hsmtss_jax.cli.main import main
from hsmtss_jax.testing.bundles import tiny_upstream
from hsmtss_jax.testing.corpus import write_tiny_corpus
from tests.cli.conftest import FAKE

PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory):
    """Separator role -> a pipeline bundle with it."""
    folder = tmp_path_factory.mktemp("bundles")
    for role, bundle in tiny_upstream({*ROLES, *SEPARATORS}).items():
        save_bundle(folder / role, bundle)
    bundles = {role: str(folder / role) for role in (*ROLES, *SEPARATORS)}
    return {
        role: assemble(PipelineConfig(bundles=bundles, separator=role), folder / f"with_{role}")
        for role in SEPARATORS
    }


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "in.wav"
    noise = 0.1 * np.random.default_rng(0).normal(size=(3 * 22050, 2))
    soundfile.write(path, noise, 22050)
    return str(path)


def test_attention(pipelines, recording, tmp_path, capsys):
    out = tmp_path / "new" / "attention.png"
    argv = ["visualize", "attention", f"--ckpt={pipelines['joint_separator']}", recording]
    argv = [*argv, "remove the dog", "-o", str(out)]
    assert main([*argv, "--start=1.5", f"--target={recording}"]) == 0
    assert out.read_bytes().startswith(PNG) and str(out) in capsys.readouterr().out
    assert main([*argv, "--start=3"]) == 2
    assert "lasts 3.00 s: start 50 ms before its end" in capsys.readouterr().err


def test_attention_of_the_true_and_the_predicted_g_or_of_heads(pipelines, recording, tmp_path):
    argv = ["visualize", "attention", recording, "remove the dog"]
    argv += [f"--ckpt={pipelines['joint_separator']}", "-o"]
    for name, more in (("both.png", [f"--target={recording}"]), ("heads.png", ["--heads"])):
        assert main([*argv, str(tmp_path / name), *more]) == 0
        assert (tmp_path / name).read_bytes().startswith(PNG)


def test_both_commands_on_one_recording(recording, tmp_path, capsys):
    out = tmp_path / "commands.png"
    argv = ["visualize", "commands", recording, "the dog", "-o", str(out), "--mask-from=target"]
    assert main([*argv, f"--removed={recording}"], FAKE) == 0
    assert out.read_bytes().startswith(PNG) and str(out) in capsys.readouterr().out
    assert main([*argv, f"--extracted={tmp_path / 'none.wav'}"], FAKE) == 2
    assert "no such file" in capsys.readouterr().err


def test_a_single_stage_pipeline_has_no_attention_to_draw(pipelines, recording, tmp_path, capsys):
    out = tmp_path / "attention.png"
    ckpt = f"--ckpt={pipelines['single_stage']}"
    assert main(["visualize", "attention", ckpt, recording, "remove the dog", f"-o{out}"]) == 2
    assert "no G token" in capsys.readouterr().err and not out.exists()


def test_embedding(pipelines, tmp_path, capsys):
    corpus = write_tiny_corpus(tmp_path)
    out = tmp_path / "map.png"
    argv = ["visualize", "embedding", f"--ckpt={pipelines['single_stage']}", f"--data={corpus}"]
    argv = [*argv, f"-o{out}", "--method=pca", "--split=train", "--batch=8", "--most=2"]
    assert main(argv) == 0
    assert out.read_bytes().startswith(PNG)
    assert main([*argv, "--tags", "tone", "machine"]) == 0
    assert main([*argv, "--tags", "tone", "fish"]) == 2
    assert main([*argv, "--predicted", "--q-audio=x"]) == 2
    assert "no clip carries the tag 'fish'" in capsys.readouterr().err


def test_embedding_of_what_is_predicted(pipelines, tmp_path):
    corpus, out = write_tiny_corpus(tmp_path), tmp_path / "map.png"
    argv = ["visualize", "embedding", f"--ckpt={pipelines['joint_separator']}", f"--data={corpus}"]
    argv += [f"-o{out}", "--method=pca", "--split=train", "--most=2", "--labels=2", "--predicted"]
    assert main(argv) == 0
    assert out.read_bytes().startswith(PNG)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["run", "nowhere", "-o", "x.png"], "nowhere is not the workdir of a training run"),
        (["runs/x", "-o", "x.png"], "unknown figure 'runs/x': choose one of run, "),
        (["attention", "x.wav", "the dog", "-o", "x.png", "--start=-1"], "--start"),
        (["attention", "x.wav", "a", "-o", "x.png", "--heads", "--target=y"], "--heads"),
        (["embedding", "-o", "x.png", "--data", "nowhere"], "no prepared data set in nowhere"),
        (["embedding", "-o", "x.png", "--most", "0"], "--most: must be at least 1"),
    ],
)
def test_bad_input_is_one_line(argv, said, capsys):
    assert main(["visualize", *argv]) == 2
    error = capsys.readouterr().err
    assert error.startswith("hsmtss: error: ") and error.count("\n") == 1 and said in error


def test_help_names_the_tasks(capsys):
    assert main(["visualize", "--help"]) == 0
    assert "attention" in capsys.readouterr().out
