"""Clips, tags and the order they are visited in."""

from collections import Counter

import numpy as np

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
