"""From nothing to a separated file: every stage trained at tiny size, exported, assembled, run."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hsmtss_jax.bundles.bundle import save_bundle
from hsmtss_jax.bundles.pipeline import (
    CAPTIONING,
    MASK_DECODER,
    MASK_ROLES,
    ROLES,
    SEPARATORS,
    PipelineConfig,
    assemble,
    load_pipeline,
)
from hsmtss_jax.cli.main import main
from hsmtss_jax.config import load_config
from hsmtss_jax.stages import STAGES
from hsmtss_jax.testing.bundles import ROOT, tiny_upstream
from hsmtss_jax.testing.corpus import write_tiny_corpus

RATE = 16000


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    """The root of a tiny prepared corpus."""
    return write_tiny_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def runs(corpus, tmp_path_factory) -> Path:
    """A folder with every stage trained for two steps by the command line: the first on a mesh of all
    devices, the rest on one, for which programs are faster to compile."""
    folder = tmp_path_factory.mktemp("runs")
    for name, bundle in tiny_upstream(["text_encoder", "gpt2"]).items():
        save_bundle(folder / name / "bundle", bundle)
    for name in STAGES:
        config = load_config(ROOT / "configs" / f"{name}.py", "tiny")
        overrides = [f"upstream.{key}={folder / key / 'bundle'}" for key in config.upstream]
        status = main(
            [
                "train",
                str(ROOT / "configs" / f"{name}.py"),
                "--size=tiny",
                f"--workdir={folder / name}",
                "--quiet",
                f"data.root={corpus}",
                "data.batch_size=4",
                "data.eval_examples=4",
                "run.steps=2",
                f"mesh.data={-1 if name == 'audio_mae' else 1}",
                *overrides,
            ]
        )
        assert status == 0, name
    return folder


@pytest.fixture(scope="module")
def pipeline(runs) -> Path:
    """The assembled tiny pipeline bundle."""
    paths = [f"bundles.{role}={runs / role / 'bundle'}" for role in ROLES]
    source = str(ROOT / "configs" / "pipeline.py")
    assert main(["export", source, str(runs / "pipeline"), "--size=tiny", *paths]) == 0
    return runs / "pipeline"


def test_training_leaves_metrics_and_a_bundle(runs):
    for name in STAGES:
        text = (runs / name / "metrics.jsonl").read_text()
        lines = [json.loads(line) for line in text.splitlines()]
        values = {key: value for line in lines for key, value in line.items()}
        assert any(key.startswith("validation/") for key in values)
        assert np.isfinite([value for value in values.values() if value is not None]).all()
        assert (runs / name / "bundle" / "model.safetensors").is_file()


@pytest.mark.parametrize(("mode", "shape"), [("mask", (220_507, 2)), ("generate", (220_507,))])
def test_separate_writes_what_it_promises(mode, shape, pipeline, tmp_path, capsys):
    """A stereo 44.1 kHz file of three windows: the output has its length and rate."""
    rng = np.random.default_rng(0)
    source = tmp_path / "in.wav"
    soundfile.write(source, 0.1 * rng.normal(size=(5 * 44100 + 7, 2)), 44100)
    out = tmp_path / "out.flac"
    argv = ["separate", str(source), "remove the dog", "-o", str(out), f"--ckpt={pipeline}"]
    assert main([*argv, f"--mode={mode}", "--json=-"]) == 0
    audio, rate = soundfile.read(out)
    assert rate == 44100 and audio.shape == shape
    assert np.isfinite(audio).all() and np.abs(audio).max() <= 1
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    done = json.loads(capsys.readouterr().out)
    assert (done["task"], done["description"], done["windows"]) == ("remove", "dog", 3)
    assert done["mode"] == mode


def test_separate_is_reproducible(pipeline):
    from hsmtss_jax.inference import Separator

    separator = Separator.from_pretrained(pipeline)
    audio = 0.1 * np.random.default_rng(1).normal(size=RATE).astype(np.float32)
    a, b = (
        separator.separate(audio, "extract a dog", sample_rate=RATE, seed=3, mode="generate")
        for _ in range(2)
    )
    np.testing.assert_array_equal(a.target, b.target)
    assert a.target.shape == (RATE, 1)
    with pytest.raises(ValueError, match="unknown mode 'x': choose one of mask, generate, blend"):
        separator.separate(audio, "extract a dog", sample_rate=RATE, mode="x")


def test_another_seed_draws_other_tokens(pipeline):
    """Untrained weights decode to next to nothing, which the noise gate mutes: tokens tell."""
    from hsmtss_jax.inference.pretrained import load_runtime

    system = load_runtime(pipeline)
    noise = 0.1 * np.random.default_rng(1).normal(size=(1, system.window)).astype(np.float32)
    s = system.encode_audio(noise).s
    policy = system.pipeline.sampling
    a, b, c = (np.asarray(system.sample(s, np.array([seed]), policy)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


def test_a_pipeline_with_a_mask_decoder_generates_nothing(runs, tmp_path):
    from hsmtss_jax.inference import Separator

    paths = [f"bundles.{role}={runs / role / 'bundle'}" for role in (*ROLES, MASK_DECODER)]
    folder, options = tmp_path / "masking", ["--size=tiny", "mask_decoder=true", *paths]
    assert main(["export", "pipeline", str(folder), *options]) == 0
    separator = Separator.from_pretrained(folder)
    audio = 0.1 * np.random.default_rng(1).normal(size=(RATE, 2)).astype(np.float32)
    result = separator.separate(audio, "remove a dog", sample_rate=RATE)
    assert "mask" in result.timing and "tokens" not in result.timing
    np.testing.assert_allclose(result.target + result.residual, audio, atol=1e-6)
    assert 0 < np.abs(result.target).max() <= np.abs(audio).max() * 1.5


@pytest.fixture(scope="module")
def scores(runs, pipeline, corpus, tmp_path_factory) -> Path:
    """The report of the pipeline and the mask baseline on three mixtures."""
    folder = tmp_path_factory.mktemp("scores")
    out, baseline = folder / "full.json", folder / "mask_pipeline"
    paths = [f"bundles.{role}={runs / role / 'bundle'}" for role in MASK_ROLES]
    options = ["--size=tiny", "separator=mask_separator", *paths]
    assert main(["export", "pipeline", str(baseline), *options]) == 0
    argv = ["evaluate", f"--ckpt={pipeline}", *_mixtures(corpus), "-o", str(out)]
    assert main([*argv, f"--baseline={baseline}"]) == 0
    return out


def _mixtures(corpus: Path) -> list[str]:
    return [f"--data={corpus}", "--count=3", "--batch=2"]


def test_evaluate_writes_a_table(scores):
    document = json.loads(scores.read_text())
    assert len(document["rows"]) == 3 * 2 * 8  # pairs, tasks, routes
    assert {"baseline", "mask - mixture", "mask - baseline"} < document["summary"]["all"].keys()
    assert "mel-PSNR" in scores.with_suffix(".md").read_text()


def test_the_single_stage_ablation_is_a_pipeline_like_any_other(
    runs, scores, corpus, tmp_path, capsys
):
    """Exported, scored without the route that gives it G, and compared with the two stages."""
    paths = [f"bundles.{role}={runs / role / 'bundle'}" for role in (*ROLES, *SEPARATORS)]
    folder, options = tmp_path / "single", ["--size=tiny", "separator=single_stage", *paths]
    assert main(["export", "pipeline", str(folder), *options]) == 0  # a config of ours by its name
    assert "joint_separator" not in json.loads((folder / "pipeline.json").read_text())["roles"]
    out = tmp_path / "single.json"
    assert main(["evaluate", f"--ckpt={folder}", *_mixtures(corpus), "-o", str(out)]) == 0
    document = json.loads(out.read_text())
    assert len(document["rows"]) == 3 * 2 * 6
    assert "true_g" not in document["summary"]["all"]
    features = document["summary"]["features"]["predicted"]
    assert 0 < features["g_cosine_extract"]["count"] <= 3
    capsys.readouterr()
    assert main(["evaluate", "compare", str(scores), str(out)]) == 0
    assert "| single - full |" in capsys.readouterr().out


def test_evaluate_captioning_describes_clips(runs, corpus, tmp_path, capsys):
    """From a pipeline that holds a captioner, and from bundles of their own: the same captions."""
    pytest.importorskip("pycocoevalcap")
    paths = [f"bundles.{role}={runs / role / 'bundle'}" for role in (*ROLES, *CAPTIONING)]
    source, folder = str(ROOT / "configs" / "pipeline.py"), tmp_path / "pipeline"
    assert main(["export", source, str(folder), "--size=tiny", "captioner=true", *paths]) == 0
    assert set(load_pipeline(folder).bundles) == set(ROLES)  # separating does not load it
    assert not load_pipeline(folder, ["gpt2"]).bundles["gpt2"].params  # the captioner has its own
    roles = ("audio_mae", "q_audio", *CAPTIONING)
    bundles = [f"--{role.replace('_', '-')}={runs / role / 'bundle'}" for role in roles]
    documents = []
    for given in ([f"--ckpt={folder}"], bundles):
        out = tmp_path / "captions.json"
        argv = ["evaluate", "captioning", *given, f"--data={corpus}", "--count=3", "--batch=2"]
        assert main([*argv, "--beams=2", "--max-tokens=5", "-o", str(out)]) == 0
        documents.append(json.loads(out.read_text()))
        assert "CIDEr-D" in capsys.readouterr().out
    assert documents[0]["rows"] == documents[1]["rows"] and len(documents[0]["rows"]) == 3
    assert set(documents[0]["summary"]) == {"captioner", "another clip's caption"}
    assert "CIDEr-D" in documents[0]["summary"]["captioner"]


def test_describe_says_what_there_is(runs, tmp_path, capsys):
    """A folder with a good and a broken recording: one is described, the other named."""
    paths = [f"bundles.{role}={runs / role / 'bundle'}" for role in (*ROLES, *CAPTIONING)]
    source, folder = str(ROOT / "configs" / "pipeline.py"), tmp_path / "pipeline"
    assert main(["export", source, str(folder), "--size=tiny", "captioner=true", *paths]) == 0
    (tmp_path / "in").mkdir()
    noise = 0.1 * np.random.default_rng(0).normal(size=(3 * 22050, 2))
    soundfile.write(tmp_path / "in" / "a.wav", noise, 22050)
    (tmp_path / "in" / "b.wav").write_text("no sound")
    argv = ["describe", str(tmp_path / "in"), f"--ckpt={folder}", "--beams=2", "--max-tokens=4"]
    capsys.readouterr()
    assert main([*argv, "--json"]) == 1
    out, errors = capsys.readouterr()
    document = json.loads(out)
    assert document["input"].endswith("a.wav") and document["spans"][-1]["end"] == 3.0
    assert errors.count("\n") == 1 and "b.wav" in errors


def test_a_foreign_codec_is_refused(runs, tmp_path):
    """A decoder goes with the codec that it was trained against."""
    config = load_config(ROOT / "configs" / "pipeline.py", "tiny", PipelineConfig)
    bundles = {role: str(runs / role / "bundle") for role in ROLES}
    save_bundle(tmp_path / "codec", tiny_upstream(["tf_codec"])["tf_codec"])
    bundles["tf_codec"] = str(tmp_path / "codec")
    with pytest.raises(ValueError, match=r"acoustic_decoder at .* was trained against tf_codec"):
        assemble(dataclasses.replace(config, bundles=bundles), tmp_path / "pipeline")


def test_damaged_pipelines_are_refused(pipeline, tmp_path):
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        load_pipeline(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="not a pipeline bundle"):
        load_pipeline(tmp_path)
    (tmp_path / "pipeline.json").write_text("{")
    with pytest.raises(ValueError, match="damaged"):
        load_pipeline(tmp_path)
