"""Mixtures: ratio, tags, tasks, recipes."""

import dataclasses
import itertools

import numpy as np
import pytest

from hsmtss_jax.config import DataConfig
from hsmtss_jax.data.channel import Channel
from hsmtss_jax.data.mixing import Mixer
from hsmtss_jax.data.placement import render
from hsmtss_jax.data.recipe import EXTRACT, REMOVE
from hsmtss_jax.data.sources import ClipSource, overlaps

L = 16000


def mixer(config: DataConfig, **kwargs) -> Mixer:
    source = ClipSource(config.root, "train")
    return Mixer(source, config, L, **({"augmented": False, "train": True} | kwargs))


@pytest.mark.parametrize("augmented", [False, True])
def test_mixture_is_the_sum_at_the_drawn_ratio(config, augmented):
    mix = mixer(config, augmented=augmented)
    for i in range(24):
        example = mix.draw(i, np.random.default_rng(i))
        assert example.mixture.shape == (L,) and example.mixture.dtype == np.float32
        np.testing.assert_allclose(example.mixture, example.target + example.other, atol=1e-6)
        assert np.abs(example.mixture).max() <= 1.0
        assert example.snr == pytest.approx(example.recipe.snr, abs=0.05)
        assert -15 <= example.recipe.snr <= 15
        assert np.abs(example.target).max() > 0 and np.abs(example.other).max() > 0
        assert np.all(example.mixture[example.length :] == 0)


def test_pairs_have_disjoint_tags_and_text_follows_the_task(config):
    mix = mixer(config)
    clips = {clip.id: clip for clip in mix.source.clips}
    tasks = set()
    for i in range(48):
        recipe = mix.draw(i % 24, np.random.default_rng(i)).recipe
        a, b = clips[recipe.target], clips[recipe.other]
        assert a.id == mix.source.clips[i % 24].id and not overlaps(a, b)
        assert recipe.text in (a if recipe.task == EXTRACT else b).captions
        tasks.add(recipe.task)
    assert tasks == {EXTRACT, REMOVE}


def test_rebuild_is_exact(config):
    for augmented in (False, True):
        mix = mixer(config, augmented=augmented)
        for i in (0, 7, 16):
            example = mix.draw(i, np.random.default_rng(i))
            again = mix.rebuild(example.recipe)
            np.testing.assert_array_equal(again.mixture, example.mixture)
            np.testing.assert_array_equal(again.target, example.target)
    with pytest.raises(ValueError, match="no clip 'x'"):
        mix.rebuild(dataclasses.replace(example.recipe, target="x"))


def test_raw_reject_adds_and_saturates(config):
    config = dataclasses.replace(config, mix_mode="raw_reject", snr_db=(-6.0, 6.0))
    mix = mixer(config)
    raw = 0
    for i in range(24):
        example = mix.draw(i, np.random.default_rng(i))
        if example.recipe.snr is None:
            raw += 1
            total = np.clip(example.target + example.other, -1, 1)
            np.testing.assert_allclose(example.mixture, total, atol=1e-6)
            audio = mix.source.audio(i)
            untouched, _ = render(audio, example.recipe.target_placement, L)
            np.testing.assert_array_equal(example.target, untouched)
    assert raw > 12


def test_unknown_mode(config):
    with pytest.raises(ValueError, match="mix_mode"):
        mixer(dataclasses.replace(config, mix_mode="sum"))


class Silent(ClipSource):
    """The source with silence in place of the clips of some labels."""

    def audio(self, index):
        sound = super().audio(index)
        return 0 * sound if self.clips[index].label in ("bell", "buzz", "chirp") else sound


def test_silent_clips_mix_without_nan(config):
    mix = Mixer(Silent(config.root, "train"), config, L, augmented=False, train=True)
    silent = 0
    for i in range(48):
        example = mix.draw(i % 24, np.random.default_rng(i))
        assert np.all(np.isfinite(example.mixture)) and np.isfinite(example.snr)
        np.testing.assert_allclose(example.mixture, example.target + example.other, atol=1e-6)
        silent += not example.target.any()
    assert silent > 4


def test_short_clips_are_padded_when_the_config_says_so(config):
    """The paper's: a clip that is shorter than the window starts it, in training and in evaluation."""
    for train in (True, False):
        offsets = {"pad": set(), "repeat": set()}
        for short, seen in offsets.items():
            mix = mixer(dataclasses.replace(config, short_clips=short), train=train)
            for i in range(24):
                recipe = mix.draw(i, np.random.default_rng(i)).recipe
                seen |= {recipe.target_placement.offsets, recipe.other_placement.offsets}
        assert offsets["pad"] == {(0,)} and len(offsets["repeat"]) > 8


MANY = {"sources": (2, 4), "absent_probability": 0.3, "clean_probability": 0.2}


def test_up_to_four_sources_none_alike(config):
    mix = mixer(dataclasses.replace(config, **MANY), augmented=True)
    clips = {clip.id: clip for clip in mix.source.clips}
    counts, absent, clean = set(), 0, 0
    for i in range(60):
        example = mix.draw(i % 24, np.random.default_rng(i))
        recipe = example.recipe
        names = [recipe.target, recipe.other, *(layer.clip for layer in recipe.layers)]
        for a, b in itertools.combinations(names, 2):
            assert not overlaps(clips[a], clips[b])
        counts.add(len(names))
        clean += recipe.snr >= 20
        absent += not example.present
        np.testing.assert_allclose(example.mixture, example.target + example.other, atol=1e-6)
        if example.present:
            assert example.snr == pytest.approx(recipe.snr, abs=0.05)
            assert recipe.text in clips[names[recipe.task]].captions
        again = mix.rebuild(recipe)
        np.testing.assert_array_equal(again.mixture, example.mixture)
        np.testing.assert_array_equal(again.target, example.target)
    assert counts == {2, 3, 4} and 8 < absent < 30 and 4 < clean < 24


def test_further_clips_stay_with_what_is_not_described(config):
    """Extract leaves the target alone, remove takes nothing but the described clip away."""
    plain = dataclasses.replace(config, sources=(3, 3))
    for probability, alone in ((0.0, "target"), (1.0, "other")):
        mix = mixer(dataclasses.replace(plain, remove_probability=probability))
        example = mix.draw(3, np.random.default_rng(3))
        recipe = example.recipe
        name, place = (
            (recipe.target, recipe.target_placement)
            if alone == "target"
            else (recipe.other, recipe.other_placement)
        )
        index = [clip.id for clip in mix.source.clips].index(name)
        wave, _ = render(mix.source.audio(index), place, L)
        part = getattr(example, alone)
        gain = np.dot(part, wave) / np.dot(wave, wave)
        np.testing.assert_allclose(part, gain * wave, atol=1e-6)
        assert recipe.text == (recipe.caption_target, recipe.caption_other)[recipe.task]


def test_absent_sounds_leave_silence_or_everything(config):
    mix = mixer(dataclasses.replace(config, absent_probability=1.0))
    clips = {clip.id: clip for clip in mix.source.clips}
    for i in range(12):
        example = mix.draw(i, np.random.default_rng(i))
        recipe = example.recipe
        assert not example.present and recipe.text == recipe.caption_absent
        for name in (recipe.target, recipe.other):
            assert recipe.text not in clips[name].captions
        expected = 0 * example.mixture if recipe.task == EXTRACT else example.mixture
        np.testing.assert_array_equal(example.target, expected)


def test_the_options_change_nothing_where_they_are_off(config):
    """The same seed gives the same pairs with and without what follows them."""
    plain, more = mixer(config), mixer(dataclasses.replace(config, sources=(3, 3)))
    for i in range(6):
        a, b = (mix.draw(i, np.random.default_rng(i)).recipe for mix in (plain, more))
        assert dataclasses.replace(b, layers=()) == a and len(b.layers) == 1


def test_channels_are_for_training(config):
    heard = dataclasses.replace(config, band_probability=1.0, level_db=(-40.0, -10.0))
    assert mixer(heard).draw(0, np.random.default_rng(0)).recipe.channel == Channel()
    for i in range(6):
        mix = mixer(heard, augmented=True)
        example = mix.draw(i, np.random.default_rng(i))
        assert example.length == L  # filters ring after the sound
        assert any(example.recipe.channel.band) and -40 <= example.recipe.channel.level <= -10
        np.testing.assert_allclose(example.mixture, example.target + example.other, atol=2e-5)
        np.testing.assert_array_equal(mix.rebuild(example.recipe).mixture, example.mixture)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sources": (1, 2)}, "sources is a range from 2"),
        ({"sources": (3, 2)}, "sources is a range from 2"),
        ({"sources": (2, 3), "mix_mode": "raw_reject"}, "takes sources"),
        ({"level_db": (1.0,)}, "level_db is a range"),
    ],
)
def test_choices_that_make_no_mixture_are_refused(config, change, message):
    with pytest.raises(ValueError, match=message):
        mixer(dataclasses.replace(config, **change))
