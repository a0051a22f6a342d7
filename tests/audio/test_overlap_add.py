"""A sound that does not change does not change at a seam: no dip, no click, however windows are joined.

The model is replaced by what it does: windows that continue one another are cut from one sound, windows
that were drawn independently share its kind and nothing else.
"""

import numpy as np
import pytest

from hsmtss_jax.audio.overlap_add import Joiner, level_keeping, linear
from hsmtss_jax.audio.windows import cut, plan_windows
from hsmtss_jax.inference.recording import Samples
from hsmtss_jax.inference.rendering import Generated, MaskRenderer, Scene, WaveRenderer

RATE, WINDOW, OVERLAP = 16000, 40_960, 10_240
COUNT = 12
FRAME = 160
LENGTH = COUNT * (WINDOW - OVERLAP) + OVERLAP
PLAN = plan_windows(LENGTH, WINDOW, OVERLAP, 320)


def noise(seed, samples=LENGTH):
    return (0.1 * np.random.default_rng(seed).normal(size=samples)).astype(np.float32)


def tone(seed, samples=LENGTH, hz=440.0):
    phase = np.random.default_rng(seed).uniform(0, 2 * np.pi)
    return (0.1 * np.sin(2 * np.pi * hz / RATE * np.arange(samples) + phase)).astype(np.float32)


def windows_of(kind, continued):
    """What a model makes of every window."""
    if continued:
        return cut(kind(0), PLAN)
    return np.stack([kind(seed, WINDOW) for seed in range(COUNT)])


def rendered(kind, mode, continued):
    """The target of a recording of the sound and as loud another, [L]."""
    recording = kind(100) + noise(200)
    samples = Samples(RATE, 1, LENGTH, recording[:, None])
    scene = Scene(samples, PLAN, RATE, 1.0, continued)
    renderer = (
        WaveRenderer(scene, 1, False)
        if mode == "generate"
        else MaskRenderer(scene, 1, None if mode == "mask" else 0.5, False)
    )
    blocks = []
    for i, (heard, made) in enumerate(
        zip(cut(recording, PLAN), windows_of(kind, continued), strict=True)
    ):
        for block in renderer.push(heard, [Generated(made)], i == COUNT - 1):
            blocks.append(block[0][0][:, 0])
    return np.concatenate(blocks)


def around_seams(sound):
    """Power of 10 ms frames, from a quarter second before the middle of each overlap: [seams, 50]."""
    middles = [i * PLAN.hop + OVERLAP // 2 for i in range(1, COUNT)]
    parts = np.stack([sound[middle - RATE // 4 : middle + RATE // 4] for middle in middles])
    return np.mean(parts.reshape(len(parts), -1, FRAME) ** 2, axis=2)


def decibels(ratio):
    return 10 * np.log10(ratio)


@pytest.mark.parametrize("continued", [False, True])
@pytest.mark.parametrize("mode", ["mask", "generate", "blend"])
@pytest.mark.parametrize("kind", [noise, tone])
def test_no_dip_and_no_click(kind, mode, continued):
    sound = rendered(kind, mode, continued)
    assert len(sound) == LENGTH
    inner = sound[RATE // 4 : -RATE // 4]  # a recording's own ends are no seams
    level = decibels(around_seams(sound).mean(axis=0) / np.mean(inner**2))
    assert np.abs(level).max() < 0.9
    if kind is tone and mode == "generate":  # each seam alone can be told from chance
        assert np.abs(decibels(around_seams(sound) / np.mean(inner**2))).max() < 0.5
    steps = np.abs(np.diff(inner))
    assert steps.max() < 1.6 * np.sort(steps)[-len(steps) // 1000]


@pytest.mark.parametrize("kind", [noise, tone])
def test_the_test_would_notice(kind, monkeypatch):
    """A plain crossfade of independent windows is heard by the measure above."""
    monkeypatch.setattr("hsmtss_jax.inference.rendering.level_keeping", linear)
    sound = rendered(kind, "generate", False)
    level = decibels(around_seams(sound).mean(axis=0) / np.mean(sound**2))
    assert level.min() < -1.1


def test_a_plain_crossfade_of_independent_sounds_dips():
    """What ``level_keeping`` is for, and that it leaves alike sounds alone."""
    a, b = noise(1, 1000), noise(2, 1000)
    ramp = (np.arange(1000, dtype=np.float32) + 0.5) / 1000
    middle = slice(400, 600)
    usual = np.mean(a**2)
    assert np.mean(linear(a, b, ramp)[middle] ** 2) < 0.6 * usual
    assert np.mean(level_keeping(a, b, ramp)[middle] ** 2) > 0.85 * usual
    np.testing.assert_allclose(level_keeping(a, a, ramp), a, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("fade", "late"), [(0, 0), (8, 0), (8, 4), (100, 0), (8, 100)])
def test_equal_windows_are_joined_exactly(fade, late):
    audio = np.random.default_rng(0).normal(size=300).astype(np.float32)
    plan = plan_windows(len(audio), 60, 20)
    joiner = Joiner(plan.hop, plan.window, fade, late)
    joined = np.concatenate([*map(joiner.push, cut(audio, plan)), joiner.finish()])
    np.testing.assert_allclose(joined[: len(audio)], audio, atol=1e-6)
