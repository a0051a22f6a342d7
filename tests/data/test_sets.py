"""Several data sets as one: shares, subsets, caps, and the same order everywhere."""

import itertools
import pickle
import shutil
from collections import Counter

import numpy as np
import pytest

from hsmtss_jax.config import DataConfig, ExperimentConfig, SetConfig, Shard, StageConfig
from hsmtss_jax.conversion import from_json, override, to_json
from hsmtss_jax.data.mixing import Mixer
from hsmtss_jax.data.order import training_order
from hsmtss_jax.data.pipeline import clip_dataset, examples
from hsmtss_jax.data.sets import Choice, open_clips
from hsmtss_jax.data.sources import ClipSource

L = 4000


@pytest.fixture(scope="module")
def roots(tiny_corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    paths = [shutil.copytree(tiny_corpus, folder / name) for name in ("one", "two")]
    for file in paths[1].glob("*-test.*"):  # the second set has no test split
        file.unlink()
    (paths[1] / "index-test.jsonl").unlink(missing_ok=True)
    return [str(path) for path in paths]


def config(*sets, **changes):
    return DataConfig(
        root="", sets=sets, **{"batch_size": 4, "balance": 0.0, "mix_mode": "scale", **changes}
    )


def drawn(data, count=600):
    source = open_clips(data, "train")
    order = examples(training_order(source, data), lambda index, rng: index, "train", 3)
    return source, [source.clips[order[i]].id for i in range(count)]


def test_sets_are_drawn_by_weight(roots):
    one, two = (SetConfig(root=root) for root in roots)
    source, ids = drawn(config(one, two))
    assert len(source) == 48 and len(set(ids)) == 48
    share = Counter(name.split("/")[0] for name in ids)
    assert share == {"one": 300, "two": 300}
    weighted = (SetConfig(root=roots[0], weight=1.0), SetConfig(root=roots[1], weight=3.0))
    share = Counter(name.split("/")[0] for name in drawn(config(*weighted))[1])
    assert share == {"one": 150, "two": 450}


def test_an_epoch_of_each_set_has_every_clip_once(roots):
    _, ids = drawn(config(*(SetConfig(root=root) for root in roots)), 48)
    assert len(set(ids)) == 48


def test_the_other_clip_follows_the_weights(roots):
    sets = (SetConfig(root=roots[0], weight=1.0), SetConfig(root=roots[1], weight=9.0))
    source = open_clips(config(*sets), "train")
    mixer = Mixer(source, config(*sets), L, augmented=False, train=True)
    others = [mixer.draw(0, np.random.default_rng(i)).recipe.other for i in range(200)]
    assert 160 < sum(other.startswith("two/") for other in others) < 200


def test_audio_is_that_of_the_set(roots):
    source = open_clips(config(*(SetConfig(root=root) for root in roots)), "train")
    alone = ClipSource(roots[0], "train")
    again = pickle.loads(pickle.dumps(source))
    for i in (0, 23, 24, 47):
        np.testing.assert_array_equal(again.audio(i), alone.audio(i % 24))
        assert again.clips[i].id.split("/", 1)[1] == alone.clips[i % 24].id
    assert source.texts() == alone.texts()


def test_batches_are_the_same_in_any_number_of_processes(roots):
    data = config(
        *(SetConfig(root=root, weight=w) for root, w in zip(roots, (1.0, 2.0), strict=True))
    )

    def lengths(index, count, batches):
        dataset = clip_dataset(data, "train", Shard(index, count), 5, samples=80_000)
        taken = itertools.islice(iter(dataset), batches)
        return [batch["length"] for batch in taken]

    whole = lengths(0, 1, 6)
    for count in (2, 4):
        parts = [lengths(i, count, 6) for i in range(count)]
        np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


def test_subset_and_cap(roots):
    bells = SetConfig(root=roots[0], subset=("label=bell|buzz", "kind=rendered"))
    source = open_clips(config(bells), "train")
    assert {clip.label for clip in source.clips} == {"bell", "buzz"} and len(source) == 6
    rows = ClipSource(roots[0], "train").clips
    hours = 8.0 / 3600
    capped = open_clips(config(SetConfig(root=roots[0], hours=hours)), "train")
    assert 8 * 16_000 <= sum(clip.samples for clip in capped.clips) < 12 * 16_000
    more = open_clips(config(SetConfig(root=roots[0], hours=2 * hours)), "train")
    assert {clip.id for clip in capped.clips} < {clip.id for clip in more.clips}
    assert len(open_clips(config(SetConfig(root=roots[0], hours=hours)), "validation")) == 8
    assert len(Choice()(rows)) == 24


def test_a_split_may_be_missing_outside_training(roots):
    both = config(*(SetConfig(root=root) for root in roots))
    assert len(open_clips(both, "test")) == 8
    with pytest.raises(OSError, match="no split 'test'"):
        open_clips(config(SetConfig(root=roots[1])), "test")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([{}, {"name": "one"}], "two sets are called 'one'"),
        ([{"weight": 1.0}, {}], "a weight above 0, or none"),
        ([{"weight": -1.0}], "a weight above 0, or none"),
        ([{"subset": ("colour=red",)}], "is not field=regex with one of id, captions"),
        ([{"subset": ("label",)}], "is not field=regex"),
        ([{"subset": ("label=(",)}], "subset 'label=\\('"),
        ([{"subset": ("label=nothing",)}], "no clip of split 'train'"),
    ],
)
def test_what_cannot_be_meant_is_said(roots, changes, message):
    sets = [SetConfig(root=root, **each) for root, each in zip(roots, changes, strict=False)]
    with pytest.raises(ValueError, match=message):
        open_clips(config(*sets), "train")


def test_one_data_set_or_several(roots):
    both = DataConfig(root=roots[0], sets=(SetConfig(root=roots[1]),))
    with pytest.raises(ValueError, match=r"both given: data\.sets=\[\]"):
        open_clips(both, "train")
    with pytest.raises(ValueError, match=r"give data\.root or data\.sets"):
        open_clips(DataConfig(root=""), "train")
    assert len(open_clips(DataConfig(root=roots[0]), "train")) == 24


def test_sets_come_from_the_command_line_and_from_json(roots):
    experiment = ExperimentConfig(stage=StageConfig(name="x"))
    text = 'data.sets=[{"root": "a", "hours": 2000}, {"root": "b", "subset": ["label=rain"]}]'
    changed = override(experiment, [text])
    assert changed.data.sets == (
        SetConfig(root="a", hours=2000.0),
        SetConfig(root="b", subset=("label=rain",)),
    )
    assert from_json(to_json(changed), StageConfig) == changed
