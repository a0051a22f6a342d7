"""Separators trained on precomputed features see what they would compute from the same mixtures."""

import dataclasses
import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.bundles.bundle import save_bundle
from hsmtss_jax.bundles.networks import read_encoders
from hsmtss_jax.cli.main import main
from hsmtss_jax.config import DataConfig, Shard, load_config
from hsmtss_jax.data.drawn_mixtures import mixture_examples
from hsmtss_jax.data.preparation.beam import on_beam
from hsmtss_jax.data.records import RecordReader
from hsmtss_jax.precompute.mixtures import write_mixture_features
from hsmtss_jax.stages import stage_class
from hsmtss_jax.testing.bundles import frozen_params, tiny_upstream
from hsmtss_jax.testing.corpus import write_tiny_corpus
from tests.data.preparation.sounds import contents
from tests.data.preparation.test_engine import Stopping

SAMPLES = 40_960
COUNTS = {"train": 5, "validation": 4}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    return write_tiny_corpus(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="module")
def data(corpus) -> Path:
    out = corpus.parent / "features"
    bundle = tiny_upstream(["audio_mae"])["audio_mae"]
    done = []
    write_mixture_features(
        out,
        bundle,
        DataConfig(root=str(corpus)),
        COUNTS,
        samples=SAMPLES,
        progress=lambda *each: done.append(each),
    )
    total = sum(COUNTS.values())
    assert done == sorted(set(done)) and done[-1] == (total, total)
    return out


def make_stage(name: str, root: Path, **upstream):
    config = load_config(name, "tiny")
    kind = stage_class(name)
    bundles = tiny_upstream(kind.upstream_names) | upstream
    changes = {"root": str(root), "batch_size": 4, "eval_examples": 4}
    return kind(config.stage, dataclasses.replace(config.data, **changes), bundles)


def test_features_on_disk_are_those_of_the_mixtures_that_training_would_draw(corpus, data):
    bundle = tiny_upstream(["audio_mae"])["audio_mae"]
    config = DataConfig(root=str(corpus))
    reader = RecordReader(data, "train")
    assert len(reader) == 5
    examples = list(mixture_examples(config, "train", 0, 2, samples=SAMPLES))
    waves = np.stack([examples[1].mixture, examples[1].target, examples[1].other])
    s = np.asarray(read_encoders({"audio_mae": bundle}).local({"audio_mae": bundle.params}, waves))
    record = reader.read(1)
    for row, name in zip(s, ("s_mixture", "s_target", "s_other"), strict=True):
        assert record[name].dtype == np.float16
        np.testing.assert_allclose(record[name].reshape(row.shape), row, atol=5e-3)


@pytest.mark.parametrize("name", ["global_separator", "local_separator"])
def test_a_stage_reads_the_same_from_disk_as_from_sound(name, corpus, data):
    """Validation mixtures are the same by either way, and so is what a stage makes of them."""
    seen = {}
    for root in (corpus, data):
        stage = make_stage(name, root)
        batch = next(iter(stage.dataset("validation", Shard(0, 1), 0)))
        spec = stage.batch_spec()
        assert {k: (v.shape, v.dtype) for k, v in batch.items()} == {
            k: (v.shape, v.dtype) for k, v in spec.items()
        }
        features = stage.read(frozen_params(stage), {k: jnp.asarray(v) for k, v in batch.items()})
        seen[root] = features, batch
    (here, a), (there, b) = seen[corpus], seen[data]
    np.testing.assert_array_equal(a["text_ids"], b["text_ids"])
    np.testing.assert_array_equal(a["task"], b["task"])
    np.testing.assert_allclose(here.mixture.s, there.mixture.s, atol=5e-3)
    np.testing.assert_allclose(here.target.s, there.target.s, atol=5e-3)
    np.testing.assert_allclose(here.target.g, there.target.g, atol=2e-2)


def test_either_clip_is_the_target_in_training_and_its_caption_comes_along(data):
    stage = make_stage("local_separator", data)
    reader = RecordReader(data, "train")
    records = [reader.read(i) for i in range(len(reader))]
    batches = iter(stage.dataset("train", Shard(0, 1), 0))
    swapped = 0
    for _ in range(8):
        batch = next(batches)
        for s_mixture, s_target in zip(batch["s_mixture"], batch["s_target"], strict=True):
            (record,) = [r for r in records if np.array_equal(r["s_mixture"], s_mixture.ravel())]
            is_other = np.array_equal(record["s_other"], s_target.ravel())
            assert is_other or np.array_equal(record["s_target"], s_target.ravel())
            swapped += is_other
    assert 4 < swapped < 28


def test_features_of_another_audio_mae_are_refused(data):
    other = dataclasses.replace(tiny_upstream(["audio_mae"])["audio_mae"], digest="another")
    stage = make_stage("local_separator", data, audio_mae=other)
    with pytest.raises(ValueError, match="another AudioMAE"):
        stage.dataset("train", Shard(0, 1), 0)


def test_the_features_are_a_data_set_for_tfds(data):
    features = json.loads((data / "features.json").read_text())["featuresDict"]["features"]
    assert features["s_mixture"]["tensor"]["dtype"] == "float16"
    tfds = pytest.importorskip("tensorflow_datasets")
    source = tfds.builder_from_directory(str(data)).as_data_source("train")
    np.testing.assert_array_equal(
        source[0]["s_mixture"], RecordReader(data, "train").read(0)["s_mixture"]
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--audio-mae", "missing"], "missing"),
        (["--train", "0", "--validation", "0"], "must be above 0"),
    ],
)
def test_bad_arguments_give_one_line(arguments, message, tmp_path, capsys):
    assert main(["precompute", str(tmp_path / "out"), *arguments]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and message in error
    assert not (tmp_path / "out").exists()


def features(corpus, out, **options) -> Path:
    bundle = options.pop("bundle", None) or tiny_upstream(["audio_mae"])["audio_mae"]
    config = DataConfig(root=str(corpus))
    write_mixture_features(out, bundle, config, COUNTS, samples=SAMPLES, **options)
    return out


def test_an_interrupted_run_goes_on_to_the_same(corpus, data, tmp_path):
    again = tmp_path / data.name
    with pytest.raises(KeyboardInterrupt):
        features(corpus, again, runner=Stopping(1))
    assert not again.exists()
    assert contents(features(corpus, again)) == contents(data)


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore")
def test_beam_makes_the_same_from_a_bundle_on_disk(corpus, tmp_path):
    pytest.importorskip("apache_beam")
    bundle = save_bundle(tmp_path / "bundle", tiny_upstream(["audio_mae"])["audio_mae"])
    here = features(corpus, tmp_path / "a" / "set", bundle=bundle)
    beam = on_beam(["--runner=DirectRunner"])
    there = features(corpus, tmp_path / "b" / "set", bundle=bundle, runner=beam)
    assert contents(there) == contents(here)
