"""Clips, tags and the order they are visited in."""

import shutil
from collections import Counter

import numpy as np
import pytest

from hsmtss_jax.data.sources import (
    Clip,
    ClipSource,
    balanced_epoch,
    by_label,
    label_cycle,
    overlaps,
)


def clip(name: str, *tags: str, events: tuple[str, ...] = ()) -> Clip:
    return Clip(
        id=name,
        captions=(name,),
        label=name,
        tags=frozenset(tags),
        events=frozenset(events or tags[-1:]),
        samples=100,
    )


def test_tags_overlap_by_event_or_category():
    dog, cat = clip("dog", "animal", "dog"), clip("cat", "animal", "cat")
    animal = clip("animal", "animal")
    assert overlaps(dog, dog)
    assert not overlaps(dog, cat)  # a common category is no common event
    assert overlaps(dog, animal) and overlaps(animal, dog)


def test_source_reads_audio(tiny_corpus):
    source = ClipSource(tiny_corpus, "train")
    assert len(source) == 24
    audio = source.audio(5)
    assert audio.dtype == np.float32 and audio.shape == (source.clips[5].samples,)
    assert 0.65 < np.abs(audio).max() < 0.75
    assert "a bell rings" in source.texts()


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("features.json", lambda _: b"{}", "describes no data set"),
        ("index-test.jsonl", lambda _: b"{", r"index-test\.jsonl is damaged"),
        ("index-test.jsonl", lambda text: text * 2, "has 8 records, its index 16"),
        ("index-test.jsonl", lambda text: text.replace(b'"label"', b'"lable"'), "no field label"),
        ("*-test.array_record-*", lambda records: records[:50], "split 'test' of .* is damaged"),
    ],
    ids=["features", "index", "longer", "field", "records"],
)
def test_a_damaged_data_set_is_said(tiny_corpus, tmp_path, name, change, message):
    root = shutil.copytree(tiny_corpus, tmp_path / "copy")
    path = next(root.glob(name))
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises((OSError, ValueError), match=message):
        ClipSource(root, "test")


def test_balance_repeats_rare_labels():
    clips = [clip("a", "a")] * 16 + [clip("b", "b")] * 1
    count = Counter(clips[i].label for i in balanced_epoch(clips, 0.0))
    assert count == {"a": 16, "b": 1}
    count = Counter(clips[i].label for i in balanced_epoch(clips, 0.5))
    assert count == {"a": 16, "b": 4}
    assert sorted(set(balanced_epoch(clips, 1.0))) == list(range(17))


def test_label_cycle_covers_labels_first(tiny_corpus):
    clips = ClipSource(tiny_corpus, "train").clips
    order = label_cycle(clips)
    assert sorted(order) == list(range(24))
    assert len({clips[i].label for i in order[:8]}) == len(by_label(clips)) == 8
