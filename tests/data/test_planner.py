"""Plans without sound say what the sound then is."""

import dataclasses

import numpy as np
import pytest

from hsmtss_jax.audio import level
from hsmtss_jax.data.levels import LevelTable
from hsmtss_jax.data.mixing import Mixer
from hsmtss_jax.data.planner import Planner
from hsmtss_jax.data.sources import ClipSource, overlaps

L = 16_000


@pytest.fixture
def plan(config, tmp_path):
    source = ClipSource(config.root, "train")
    table = LevelTable(tmp_path / "levels.npy", np.array([clip.samples for clip in source.clips]))
    table.create()
    table.measure(source, range(len(source)))

    def make(train=True, **changes):
        setting = dataclasses.replace(config, augment=False, **changes)
        return Planner(source, setting, L, table, train=train)

    return make


@pytest.mark.parametrize("mode", ["scale", "raw_reject"])
@pytest.mark.parametrize("short", ["pad", "repeat"])
def test_levels_are_those_of_the_sound(plan, mode, short):
    planner = plan(mix_mode=mode, short_clips=short)
    mixer = Mixer(planner.source, planner.config, L, augmented=False, train=True)
    for i in range(24):
        drawn = planner.draw_recipe(i, np.random.default_rng(i))
        known, example = planner.levels(drawn), mixer.rebuild(drawn.recipe)
        clips = [mixer.clip(name) for name in (drawn.recipe.target, drawn.recipe.other)]
        assert not overlaps(*clips) and known is not None
        assert level.snr(example.target, example.other) == pytest.approx(known.window_snr, abs=0.3)
        assert example.snr == pytest.approx(known.snr, abs=0.3)
        if mode == "raw_reject" and drawn.recipe.snr is None:
            assert -15 <= known.window_snr <= 15 and known.gain == 0
        if mode == "scale":
            assert known.snr == pytest.approx(drawn.recipe.snr)


def test_excerpts_of_long_clips_are_audible(plan):
    planner = plan()
    for i in range(16, 24):  # 4 s
        for seed in range(4):
            (a, _) = planner.draw_recipe(i, np.random.default_rng(seed)).placed
            assert a.placement.start % 160 == 0 and a.placement.size == L
            assert a.energies.max() > 0


def test_plans_know_all_options(plan):
    planner = plan(sources=(2, 4), absent_probability=0.3)
    drawn = [planner.draw_recipe(i % 24, np.random.default_rng(i)) for i in range(40)]
    assert {len(each.placed) for each in drawn} == {2, 3, 4}
    assert any(each.recipe.caption_absent for each in drawn)
    assert all(planner.levels(each) is None for each in drawn if not each.recipe.plain)


def test_augmented_levels_are_not_known(config, plan):
    source = plan().source
    augmented = dataclasses.replace(config, mix_mode="raw_reject", augment=True)
    table = LevelTable("none", np.array([clip.samples for clip in source.clips]))
    with pytest.raises(ValueError, match=r"data\.augment=false"):
        Planner(source, augmented, L, table, train=True)
    Planner(source, augmented, L, table, train=False)
