"""Mixtures of a manifest are the same on the fly and from disk."""

import dataclasses
import itertools
import json
import pickle

import numpy as np
import pytest

from hsmtss_jax.config import Shard
from hsmtss_jax.data.manifest import write_manifest
from hsmtss_jax.data.mixture_records import ManifestReader, captions_of, write_mixtures
from hsmtss_jax.data.pipeline import mixture_dataset
from hsmtss_jax.data.recipe import EXTRACT
from hsmtss_jax.data.records import RecordReader
from hsmtss_jax.task import TASKS

L = 8000
VARIED = {
    "sources": (2, 4),
    "absent_probability": 0.3,
    "room_probability": 0.3,
    "band_probability": 0.4,
    "level_db": (-40.0, -6.0),
}


def made(config, folder, **changes):
    data = dataclasses.replace(config, **changes)
    write_manifest(folder / "pairs", data, {"train": 14, "validation": 6}, samples=L)
    return dataclasses.replace(data, manifest=str(folder / "pairs"))


@pytest.mark.parametrize("changes", [{}, VARIED, {"mix_mode": "raw_reject", "augment": False}])
def test_batches_from_both_forms_are_equal(config, tokenizer, tmp_path, changes):
    fly = made(config, tmp_path, **changes)
    counts = write_mixtures(tmp_path / "mixtures", fly, per_file=5)
    assert counts == {"train": 14, "validation": 6}
    disk = dataclasses.replace(fly, manifest="", root=str(tmp_path / "mixtures"))
    for split, steps in (("train", 7), ("validation", 2)):
        pairs = [
            mixture_dataset(each, split, Shard(), 3, samples=L, tokenizer=tokenizer)
            for each in (fly, disk)
        ]
        for a, b in itertools.islice(zip(*pairs, strict=True), steps):
            assert a.keys() == b.keys()
            for key in a:
                np.testing.assert_array_equal(a[key], b[key], err_msg=key)


def test_task_text_and_target_belong_together(config, tmp_path):
    fly = made(config, tmp_path, **VARIED)
    reader = ManifestReader(fly, "train")
    seen = set()
    for i in range(len(reader)):
        record, example = reader.read(i), reader.example(i)
        task = example.recipe.task
        assert record["captions_target" if task == EXTRACT else "captions_other"]
        assert bool(record["captions_target"] and record["captions_other"]) == example.recipe.plain
        assert record["present"] == example.present and record["task"] == task
        seen.add((TASKS[task], example.present, example.recipe.plain))
    assert len(seen) > 3


def test_captions_of_two_clips_serve_both_tasks(config, tmp_path):
    fly = made(config, tmp_path)
    reader = ManifestReader(fly, "validation")
    recipe = reader.recipe(0)
    record = reader.read(0)
    assert record["captions_target"] and record["captions_other"]
    again = pickle.loads(pickle.dumps(reader))
    np.testing.assert_array_equal(again.read(0)["mixture"], record["mixture"])
    absent = dataclasses.replace(recipe, caption_absent="a horn", task=EXTRACT)
    captions = captions_of(absent, None, None)
    assert (captions.extract, captions.remove) == (["a horn"], [])


def test_writing_again_changes_nothing_and_goes_on(config, tmp_path):
    fly = made(config, tmp_path)
    out = tmp_path / "mixtures"
    write_mixtures(out, fly, per_file=4)
    before = sorted((path.name, path.stat().st_mtime_ns) for path in out.resolve().iterdir())
    write_mixtures(out, fly, per_file=4)
    after = sorted((path.name, path.stat().st_mtime_ns) for path in out.resolve().iterdir())
    assert before == after and len(RecordReader(out, "train")) == 14


def test_what_is_missing_is_said(config, tmp_path, tokenizer):
    fly = made(config, tmp_path)
    with pytest.raises(OSError, match="no split 'test' in the manifest"):
        ManifestReader(fly, "test")
    with pytest.raises(OSError, match="hsmtss data manifest"):
        write_mixtures(tmp_path / "out", dataclasses.replace(fly, manifest=str(tmp_path)))
    path = tmp_path / "pairs" / "train.jsonl"
    lines = path.read_text().splitlines()
    row = json.loads(lines[0]) | {"target": "nothing"}
    path.write_text("\n".join([json.dumps(row), '{"samples": 8000}']) + "\n")
    reader = ManifestReader(fly, "train")
    with pytest.raises(ValueError, match="no clip 'nothing'"):
        reader.read(0)
    with pytest.raises(ValueError, match=r"train\.jsonl:2 is no mixture recipe"):
        reader.read(1)
    with pytest.raises(Exception, match="--samples 100"):
        next(iter(mixture_dataset(fly, "validation", Shard(), 0, samples=100, tokenizer=tokenizer)))
