"""A sound that does not change does not change at a seam: no dip, no click, however windows are joined.

The model is replaced by what it does: windows that continue one another are cut from one sound, windows
that were drawn independently share its kind and nothing else.
"""

import numpy as np
import pytest

from hsmtss_jax.audio.overlap_add import equal_level_crossfade, linear_crossfade
from hsmtss_jax.audio.windows import cut, plan_windows
from hsmtss_jax.inference.generator import window_gains
from hsmtss_jax.inference.hearing import Heard, Sounding
from hsmtss_jax.inference.options import SeparateOptions
from hsmtss_jax.inference.recording import Samples
from hsmtss_jax.inference.rendering import MaskRenderer, WaveRenderer
from hsmtss_jax.inference.requests import RecordingState
from hsmtss_jax.inference.stems import Stems
from hsmtss_jax.instructions import parse

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


def state_of(recording, gain=1.0, length=LENGTH, plan=PLAN):
    """A recording with one instruction, before its first window."""
    samples = Samples(RATE, 1, length, recording[:, None])
    sounding = Sounding(samples, 0, np.zeros(1, np.float32), np.ones(1, np.float32))
    heard = Heard(samples, sounding, RATE, gain, RATE / 2)
    return RecordingState(0, heard, plan, [parse("extract rain")], False)


def rendered(kind, mode, continued, crossfade=equal_level_crossfade):
    """The target of a recording of the sound and as loud another, [L]."""
    recording = kind(100) + noise(200)
    options = SeparateOptions(
        mode=mode, residual=False, windows="continued" if continued else "independent"
    )
    state = state_of(recording)
    renderer = (
        WaveRenderer(state, options, crossfade=crossfade)
        if mode == "generate"
        else MaskRenderer(state, options)
    )
    blocks = []
    for i, (heard, made) in enumerate(
        zip(cut(recording, PLAN), windows_of(kind, continued), strict=True)
    ):
        sounds = Stems(made)
        each = sounds if mode == "generate" else window_gains(heard, sounds, options)
        pushed = renderer.push(heard, {0: each}, i == COUNT - 1)
        blocks.extend(block[0].target[:, 0] for block in pushed)
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
def test_the_test_would_notice(kind):
    """A plain crossfade of independent windows is heard by the measure above."""
    sound = rendered(kind, "generate", False, linear_crossfade)
    level = decibels(around_seams(sound).mean(axis=0) / np.mean(sound**2))
    assert level.min() < -1.1


@pytest.mark.parametrize("gate", [True, False])
def test_the_silence_gate_puts_a_recording_s_silence_back(gate):
    """Off, the generated sound is left as it is, but for the gain of the working level."""
    plan = plan_windows(WINDOW, WINDOW, 0, 320)
    recording = noise(0, WINDOW)
    recording[10_000:20_000] = 0
    state = state_of(recording, 2.0, WINDOW, plan)
    options = SeparateOptions(mode="generate", residual=False, silence_gate=gate)
    made = 0.3 * np.ones(WINDOW, np.float32)
    blocks = WaveRenderer(state, options).push(2 * recording, {0: Stems(made)}, True)
    out = np.concatenate([block[0].target[:, 0] for block in blocks])
    np.testing.assert_allclose(out[:9000], 0.15, rtol=1e-4)
    np.testing.assert_allclose(out[11_000:19_000], 0.0 if gate else 0.15, rtol=1e-4)
