"""Views: one example from an index and a Generator, as each stage sees it."""

import dataclasses
import pickle

import numpy as np
import pytest

from hsmtss_jax.data.mixing import Mixer
from hsmtss_jax.data.recipe import EXTRACT, REMOVE
from hsmtss_jax.data.sources import ClipSource
from hsmtss_jax.data.text_table import TextTable
from hsmtss_jax.data.views import (
    CaptionView,
    ClipView,
    MixtureFeatureView,
    MixtureView,
    PreparedMixtureView,
    caption_id,
    draw_text,
)

L = 8000
RECORD = {
    "mixture": np.full(L, 100, np.int16),
    "target": np.full(L, 50, np.int16),
    "s_mixture": np.arange(12, dtype=np.float16),
    "s_target": np.full(12, 1, np.float16),
    "s_other": np.full(12, 2, np.float16),
    "length": 6000,
    "task": EXTRACT,
    "captions_target": ["a low tone", "low tone"],
    "captions_other": ["a bell rings", "bell"],
}


@dataclasses.dataclass
class Reader:
    """One record, as often as it is asked for."""

    record: dict

    def read(self, index):
        return dict(self.record)


@pytest.fixture
def source(config):
    return ClipSource(config.root, "train")


@pytest.fixture
def texts(source, tokenizer):
    return TextTable(source.texts(), tokenizer, 6)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_views_travel_to_workers(source, config, texts):
    view = pickle.loads(pickle.dumps(CaptionView(source, config, L, texts, train=True)))
    again = CaptionView(source, config, L, texts, train=True)
    for name, value in view(3, rng()).items():
        np.testing.assert_array_equal(value, again(3, rng())[name])


def test_outside_training_nothing_is_drawn(source, config, texts):
    for view in (
        ClipView(source, config, 80_000, train=False),
        CaptionView(source, config, 80_000, texts, train=False),
    ):
        one, two = view(2, rng(0)), view(2, rng(1))
        audio = source.audio(2)
        assert one["length"] == len(audio) and one.keys() == two.keys()
        np.testing.assert_array_equal(one["audio"][: len(audio)], audio)
        assert all(np.array_equal(one[name], two[name]) for name in one)


def test_short_clips_are_sometimes_followed_by_others(source, config):
    view = ClipView(source, dataclasses.replace(config, augment=False), 80_000, train=True)
    index = int(np.argmin([clip.samples for clip in source.clips]))
    lengths = [int(view(index, rng(seed))["length"]) for seed in range(30)]
    full = [length for length in lengths if length > 60_000]
    assert 3 < len(full) < 27


def test_the_first_caption_outside_training_any_of_them_inside(source, config, texts):
    first, any_of_them = (
        {
            int(CaptionView(source, config, L, texts, train=train)(5, rng(s))["caption_id"])
            for s in range(20)
        }
        for train in (False, True)
    )
    captions = source.clips[5].captions
    assert first == {caption_id(captions[0])}
    assert any_of_them == {caption_id(text) for text in captions}


def test_a_mixture_s_words_are_those_of_its_recipe(source, config, texts):
    mixer = Mixer(source, config, L, augmented=False, train=True)
    view = MixtureView(mixer, texts)
    for index in range(6):
        example, drawn = view(index, rng(index)), mixer.draw(index, rng(index))
        np.testing.assert_array_equal(example["mixture"], drawn.mixture)
        np.testing.assert_array_equal(example["text_ids"], texts(drawn.recipe.text)["text_ids"])
        assert example["task"] == drawn.recipe.task and example["task"].dtype == np.int32


def test_a_mixture_on_disk_is_told_its_task_s_caption(config, texts):
    for task, text in ((EXTRACT, "a low tone"), (REMOVE, "a bell rings")):
        reader = Reader({**RECORD, "task": task})
        example = PreparedMixtureView(reader, config, L, texts, train=False)(0, rng())
        np.testing.assert_array_equal(example["text_ids"], texts(text)["text_ids"])
        assert example["task"] == task and example["length"] == 6000
        np.testing.assert_array_equal(example["target"], np.full(L, 50, np.int16))
    with pytest.raises(ValueError, match="have 8000 samples, the model needs 4000"):
        PreparedMixtureView(Reader(RECORD), config, 4000, texts, train=False)(0, rng())


def test_either_clip_of_stored_features_is_the_target_in_training(config, texts):
    view = MixtureFeatureView(Reader(RECORD), config, 4, texts, train=True)
    seen = set()
    for seed in range(40):
        example = view(0, rng(seed))
        assert example["s_mixture"].shape == example["s_target"].shape == (3, 4)
        own = ("captions_target", "captions_other")[:: 1 if example["s_target"][0, 0] == 1 else -1]
        words = [texts(text)["text_ids"] for text in RECORD[own[int(example["task"])]]]
        assert any(np.array_equal(example["text_ids"], ids) for ids in words)
        seen.add((int(example["s_target"][0, 0]), int(example["task"])))
    assert seen == {(1, EXTRACT), (1, REMOVE), (2, EXTRACT), (2, REMOVE)}
    plain = MixtureFeatureView(Reader(RECORD), config, 4, texts, train=False)(0, rng())
    assert plain["s_target"][0, 0] == 1 and plain["task"] == EXTRACT


def test_tasks_are_drawn_with_the_configured_probability(config):
    for probability, tasks in ((0.0, {EXTRACT}), (1.0, {REMOVE}), (0.5, {EXTRACT, REMOVE})):
        changed = dataclasses.replace(config, remove_probability=probability)
        drawn = [draw_text(RECORD, changed, rng(seed), train=True) for seed in range(30)]
        assert {task for _, task in drawn} == tasks
    assert draw_text(RECORD, config, rng(), train=False) == ("a low tone", EXTRACT)


def test_equal_captions_have_equal_ids():
    assert caption_id("A dog barks") == caption_id("a dog barks ") != caption_id("a dog")
    assert 0 <= caption_id("x") < 2**31
