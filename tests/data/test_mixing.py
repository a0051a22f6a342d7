"""Mixtures: ratio, tags, tasks, recipes."""

import dataclasses

import numpy as np
import pytest

from hsmtss_jax.config import DataConfig
from hsmtss_jax.data.mixing import (
    EXTRACT,
    REMOVE,
    Mixer,
    PairSampler,
    active_rms,
    active_snr_db,
)
from hsmtss_jax.data.placement import render
from hsmtss_jax.data.sources import Clip, ClipSource, overlaps

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


def test_unknown_mode_and_unpairable_clip(config):
    with pytest.raises(ValueError, match="mix_mode"):
        mixer(dataclasses.replace(config, mix_mode="sum"))
    tags = frozenset({"dog"})
    clip = Clip(id="d", captions=("d",), label="d", tags=tags, events=tags, samples=1)
    with pytest.raises(ValueError, match="no clip to mix with 'd'"):
        PairSampler([clip, clip], 0.5).draw(0, np.random.default_rng(0))


def test_active_level_ignores_pauses():
    tone = np.sin(np.arange(1600) / 4).astype(np.float32)
    padded = np.concatenate([np.zeros(8000, np.float32), tone])
    assert active_rms(padded) == pytest.approx(active_rms(tone), rel=0.05)
    assert active_rms(np.zeros(1000)) == 0.0 and active_rms(np.zeros(0)) == 0.0
    assert np.isfinite(active_snr_db(tone, np.zeros(1600)))


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
