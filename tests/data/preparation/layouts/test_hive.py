"""Hive: each source of a mixture once, held-out ones never in training."""

import pytest


def test_sources(copy):
    copy.prepare()
    clips = copy.clips
    assert {name: clip["split"] for name, clip in clips.items()} == {
        "BBC_Sound_Effects/NHU05104090@0": "test",
        "AudioSet/bal/--ZhevVpy1s@0": "test",
        "AudioSet/bal/--PJHxphWEs@0": "validation",
        "BBC_Sound_Effects/NHU05104090@1": "train",
    }
    assert clips["AudioSet/bal/--ZhevVpy1s@0"]["label"] == "boat and water vehicle"
    assert {clip["samples"] for clip in clips.values()} == {16000}


def test_another_json_is_a_fault(copy):
    path = copy.root / "metadata" / "val" / "2mix" / "val_2mix_metadata_tar0001.json"
    path.write_text('[{"mix_id": 3, "labels": ["Pig"]}]')
    with pytest.raises(ValueError, match="a source of 3 has no chunk_end_second"):
        copy.prepare()
