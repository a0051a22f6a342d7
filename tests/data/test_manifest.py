"""Rich mixtures, manifests and prepared mixtures are the same mixtures."""

import dataclasses
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from hsmtss_jax.config import Shard
from hsmtss_jax.data.manifest import mixture_examples, read_manifest, write_manifest
from hsmtss_jax.data.pipeline import mixture_dataset
from hsmtss_jax.data.records import RecordReader
from tests.data.test_pipeline import L

ROOT = Path(__file__).parents[2]


def load(path: Path):
    spec = importlib.util.spec_from_file_location(path.parent.name + "_prepare", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_examples_are_those_of_the_data_set(config, tokenizer):
    batch = next(
        iter(mixture_dataset(config, "validation", Shard(), 5, samples=L, tokenizer=tokenizer))
    )
    for i, example in enumerate(mixture_examples(config, "validation", 5, 4, samples=L)):
        np.testing.assert_array_equal(batch["mixture"][i], example.mixture)
        np.testing.assert_array_equal(batch["target"][i], example.target)
        assert batch["task"][i] == example.recipe.task
        ids, _ = tokenizer([example.recipe.text], 6)
        np.testing.assert_array_equal(batch["text_ids"][i], ids[0])


def test_manifest_rebuilds_the_mixtures(config, tmp_path):
    path = tmp_path / "mixtures.jsonl"
    write_manifest(path, config, "test", 3, 10, samples=L)
    straight = list(mixture_examples(config, "test", 3, 10, samples=L))
    rebuilt = list(read_manifest(path, config))
    assert len(rebuilt) == 10
    for a, b in zip(straight, rebuilt, strict=True):
        assert a.recipe == b.recipe and a.label_other == b.label_other
        np.testing.assert_array_equal(a.mixture, b.mixture)
    row = json.loads(path.read_text().splitlines()[0])
    assert row["task"] in ("extract", "remove") and row["text"] == straight[0].recipe.text


def test_manifest_rebuilds_many_sources(config, tmp_path):
    path = tmp_path / "mixtures.jsonl"
    config = dataclasses.replace(
        config, sources=(2, 4), absent_probability=0.5, band_probability=1.0, level_db=(-40.0, 0.0)
    )
    write_manifest(path, config, "train", 3, 6, samples=L)
    straight = list(mixture_examples(config, "train", 3, 6, samples=L))
    for a, b in zip(straight, read_manifest(path, config), strict=True):
        assert a.recipe == b.recipe and a.present == b.present
        np.testing.assert_array_equal(a.mixture, b.mixture)


def test_broken_manifest_names_the_line(config, tmp_path):
    path = tmp_path / "m.jsonl"
    path.write_text('{"split": "test"}\n')
    with pytest.raises(ValueError, match=r"m\.jsonl:1"):
        next(read_manifest(path, config))
    with pytest.raises(OSError, match="no manifest"):
        next(read_manifest(tmp_path / "none", config))


def test_prepared_mixtures_read_like_those_on_the_fly(config, tokenizer, tmp_path):
    prepare = load(ROOT / "data/mixtures/prepare.py")
    out = tmp_path / "mixtures"
    prepare.prepare(config, out, {"train": 6, "validation": 5, "test": 0}, L, 2)
    assert len(RecordReader(out, "train")) == 6
    ready = type(config)(root=str(out), batch_size=4, max_text_tokens=6, eval_examples=5)
    kwargs = {"samples": L, "tokenizer": tokenizer}
    batches = list(mixture_dataset(ready, "validation", Shard(), 0, **kwargs))
    expected = list(mixture_examples(config, "validation", 2, 5, samples=L))
    got = np.concatenate([batch["mixture"] for batch in batches])
    np.testing.assert_allclose(got, np.stack([e.mixture for e in expected]), atol=1e-4)
    assert [int(t) for b in batches for t in b["task"]] == [e.recipe.task for e in expected]
    assert next(iter(mixture_dataset(ready, "train", Shard(), 0, **kwargs)))["target"].shape == (
        4,
        L,
    )
    with pytest.raises(Exception, match="--samples 100"):
        next(iter(mixture_dataset(ready, "train", Shard(), 0, samples=100, tokenizer=tokenizer)))
