"""Manifests: the same from any number of processes, of levels alone."""

import dataclasses
import json

import numpy as np
import pytest

from hsmtss_jax.data.manifest import write_manifest
from hsmtss_jax.data.mixture_records import ManifestReader
from hsmtss_jax.data.sources import ClipSource

L = 16_000


def rows(folder, split="train"):
    return [json.loads(line) for line in (folder / f"{split}.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("mode", ["scale", "raw_reject"])
def test_rows_say_all_of_a_mixture(config, tmp_path, mode):
    data = dataclasses.replace(config, mix_mode=mode, augment=False)
    done = []
    counts = {"train": 40, "validation": 0, "test": 9}
    write_manifest(
        tmp_path / "m", data, counts, samples=L, progress=lambda *each: done.append(each)
    )
    assert done[-1] == (49, 49) and not (tmp_path / "m" / "validation.jsonl").exists()
    assert not (tmp_path / "m" / "levels.npy").exists()
    clips = {clip.id: clip for clip in ClipSource(config.root, "train").clips}
    made = rows(tmp_path / "m")
    assert [row["index"] for row in made] == list(range(40))
    assert sorted(row["target"] for row in made[:24]) != [row["target"] for row in made[:24]]
    for row in made:
        assert row["task"] in ("extract", "remove") and row["samples"] == L
        assert set(row["tags_target"]) == clips[row["target"]].tags
        described = row["target"] if row["task"] == "extract" else row["other"]
        assert row["text"] in clips[described].captions
        snr = row["levels"]["snr" if mode == "scale" else "window_snr"]
        assert -15.01 <= snr <= 15.01 or row["snr"] is not None
    header = json.loads((tmp_path / "m" / "manifest.json").read_text())
    assert header["mixtures"] == counts and header["data"]["mix_mode"] == mode


def test_the_test_split_is_drawn_without_training(config, tmp_path):
    write_manifest(tmp_path / "m", config, {"test": 8}, samples=L)
    captions = {c.id: c.captions[0] for c in ClipSource(config.root, "test").clips}
    for row in rows(tmp_path / "m", "test"):
        assert row["caption_target"] == captions[row["target"]]
        assert row["target_placement"]["augment_seed"] == -1


def test_any_number_of_processes_writes_the_same(config, tmp_path):
    settings = {"samples": L, "seed": 3, "chunk": 20}
    count = 50
    write_manifest(tmp_path / "one", config, {"train": count}, **settings)
    write_manifest(tmp_path / "two", config, {"train": count}, processes=2, **settings)
    one, two = ((tmp_path / name / "train.jsonl").read_bytes() for name in ("one", "two"))
    assert one == two
    write_manifest(tmp_path / "two", config, {"train": 5}, samples=L, seed=4)
    assert (tmp_path / "two" / "train.jsonl").read_bytes() != one
    first = ManifestReader(dataclasses.replace(config, manifest=str(tmp_path / "two")), "train")
    assert len(first) == 5 and np.any(first.read(0)["mixture"])
