"""Batches: shapes, determinism, resuming, sharding."""

import dataclasses
import itertools

import numpy as np
import pytest

from hsmtss_jax.config import Shard
from hsmtss_jax.data.pipeline import caption_dataset, clip_dataset, examples, mixture_dataset
from hsmtss_jax.data.sources import ClipSource
from hsmtss_jax.data.views import ClipView, caption_id

L, B, N = 8000, 4, 6


def build(name, config, tokenizer, split="train", shard=None, seed=0):
    shard = shard or Shard()
    if name == "clip":
        return clip_dataset(config, split, shard, seed, samples=L)
    make = caption_dataset if name == "caption" else mixture_dataset
    return make(config, split, shard, seed, samples=L, tokenizer=tokenizer)


def take(dataset, count):
    return list(itertools.islice(iter(dataset), count))


def assert_equal(a, b):
    assert len(a) == len(b)
    for x, y in zip(a, b, strict=True):
        assert x.keys() == y.keys()
        for key in x:
            np.testing.assert_array_equal(x[key], y[key])


SPECS = {
    "clip": {"audio": ((L,), np.float32), "length": ((), np.int32)},
    "caption": {
        "audio": ((L,), np.float32),
        "length": ((), np.int32),
        "text_ids": ((N,), np.int32),
        "text_mask": ((N,), np.bool_),
        "caption_id": ((), np.int32),
    },
    "mixture": {
        "mixture": ((L,), np.float32),
        "target": ((L,), np.float32),
        "length": ((), np.int32),
        "text_ids": ((N,), np.int32),
        "text_mask": ((N,), np.bool_),
        "task": ((), np.int32),
        "present": ((), np.bool_),
    },
}


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("split", ["train", "validation"])
def test_shapes_and_dtypes(config, tokenizer, name, split):
    for batch in take(build(name, config, tokenizer, split), 2):
        assert {k: (v.shape, v.dtype) for k, v in batch.items()} == {
            k: ((B, *shape), dtype) for k, (shape, dtype) in SPECS[name].items()
        }
        for key, value in batch.items():
            assert np.all(np.isfinite(value)), key
        for key in {"audio", "mixture", "target"} & batch.keys():
            assert np.abs(batch[key]).max() <= 1.0
            for wave, length in zip(batch[key], batch["length"], strict=True):
                assert 0 < length <= L and np.all(wave[length:] == 0)
        if "text_mask" in batch:
            assert np.all(batch["text_mask"].any(axis=1))


@pytest.mark.parametrize("name", SPECS)
def test_same_seed_same_batches(config, tokenizer, name):
    first = take(build(name, config, tokenizer), 5)
    assert_equal(first, take(build(name, config, tokenizer), 5))
    other = take(build(name, config, tokenizer, seed=1), 5)
    assert any((a["length"] != b["length"]).any() for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("name", SPECS)
def test_resume_equals_straight_run(config, tokenizer, name):
    straight = take(build(name, config, tokenizer), 12)
    iterator = iter(build(name, config, tokenizer))
    for _ in range(7):
        next(iterator)
    state = iterator.get_state()
    resumed = iter(build(name, config, tokenizer))
    resumed.set_state(state)
    assert_equal(straight[7:], [next(resumed) for _ in range(5)])


def test_training_has_no_end(config, tokenizer):
    assert len(take(build("clip", config, tokenizer), 20)) == 20  # 24 clips are 6 batches


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("split", ["train", "validation"])
def test_shards_are_the_rows_of_each_batch(config, tokenizer, name, split):
    steps = 2 if split == "validation" else 6
    whole = take(build(name, config, tokenizer, split), steps)
    parts = [take(build(name, config, tokenizer, split, Shard(i, 2)), steps) for i in range(2)]
    assert parts[0][0]["length"].shape == (B // 2,)
    for key in whole[0]:
        for batch, *rows in zip(whole, *parts, strict=True):
            np.testing.assert_array_equal(batch[key], np.concatenate([row[key] for row in rows]))


def test_an_epoch_covers_every_clip_once(config):
    order = range(24)
    dataset = examples([(order, 1.0)], lambda index, rng: index, "train", seed=3)
    for epoch in range(2):
        seen = [dataset[i] for i in range(24 * epoch, 24 * epoch + 24)]
        assert sorted(seen) == list(order)
    shards = [[dataset[i] for i in range(s, 24, 3)] for s in range(3)]
    assert sorted(itertools.chain(*shards)) == list(order)


def test_validation_is_one_pass_in_order(config, tokenizer):
    batches = list(build("caption", config, tokenizer, "validation"))
    assert sum(len(batch["length"]) for batch in batches) == 8
    source = ClipSource(config.root, "validation")
    firsts = [caption_id(clip.captions[0]) for clip in source.clips]
    assert sorted(np.concatenate([b["caption_id"] for b in batches])) == sorted(firsts)
    assert_equal(batches, list(build("caption", config, tokenizer, "validation")))


def test_no_validation_example_is_left_out(config, tokenizer):
    config = dataclasses.replace(config, eval_examples=7)
    assert [len(b["length"]) for b in build("clip", config, tokenizer, "validation")] == [4, 3]
    parts = [list(build("clip", config, tokenizer, "validation", Shard(i, 2))) for i in range(2)]
    assert [[len(b["length"]) for b in part] for part in parts] == [[2, 2], [2, 1]]


def test_mixture_pass_may_be_longer_than_the_split(config, tokenizer):
    config = dataclasses.replace(config, eval_examples=12)
    batches = list(build("mixture", config, tokenizer, "validation"))
    assert sum(len(batch["length"]) for batch in batches) == 12


def test_workers_give_the_same_batches(config, tokenizer):
    inline = take(build("mixture", config, tokenizer), 3)
    config = dataclasses.replace(config, workers=1)
    iterator = iter(build("mixture", config, tokenizer))
    try:
        assert_equal(inline, [next(iterator) for _ in range(3)])
    finally:
        getattr(iterator, "close", lambda: None)()


def test_batch_must_divide_over_hosts(config, tokenizer):
    with pytest.raises(ValueError, match="no multiple of 3"):
        build("clip", config, tokenizer, shard=Shard(0, 3))


def test_padded_clips_are_followed_by_no_other(config):
    """Pre-training on clips as they are: what is in use is the clip, from the window's start."""
    config = dataclasses.replace(config, short_clips="pad", augment=False, balance=0.0)
    source = ClipSource(config.root, "train")
    view = ClipView(source, config, 80_000, train=True)
    longer = ClipView(source, dataclasses.replace(config, short_clips="repeat"), 80_000, train=True)
    others = 0
    for i, clip in enumerate(source.clips):
        used = min(clip.samples, 80_000)
        example = view(i, np.random.default_rng(i))
        assert example["length"] == used
        if clip.samples <= 80_000:
            np.testing.assert_array_equal(example["audio"][:used], source.audio(i))
        others += longer(i, np.random.default_rng(i))["length"] != used
    assert others > 4
