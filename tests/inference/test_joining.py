"""Joining of windows: a sound cut into windows comes back whole, at another rate in its own length."""

import numpy as np
import pytest

from hsmtss_jax.audio.io import resample
from hsmtss_jax.audio.overlap_add import OverlapAdd
from hsmtss_jax.audio.windows import plan_windows
from hsmtss_jax.inference.joining import WindowJoiner

RATE, LENGTH, WINDOW, OVERLAP = 16_000, 7_321, 1_600, 400


def joined(sound: np.ndarray, rate: int, length: int) -> np.ndarray:
    """Cut a sound, [L, C] or [L], into windows; join them to ``length`` samples at ``rate``."""
    plan = plan_windows(len(sound), window=WINDOW, overlap=OVERLAP, unit=1)
    fade = OverlapAdd(plan.hop, plan.window, 100)
    joiner = WindowJoiner(fade, (RATE, rate), (len(sound), length), sound[0].size)
    behind = plan.hop * plan.count + WINDOW - len(sound)
    padded = np.pad(sound, [(0, behind), (0, 0)][: sound.ndim])
    starts = [plan.hop * index for index in range(plan.count)]
    blocks = [joiner.push(padded[at : at + WINDOW], at == starts[-1]) for at in starts]
    return np.concatenate(blocks)


@pytest.mark.parametrize("channels", [1, 2])
def test_windows_of_a_sound_are_the_sound(channels):
    sound = np.random.default_rng(0).normal(size=(LENGTH, channels)).astype(np.float32)
    np.testing.assert_allclose(joined(sound, RATE, LENGTH), sound, atol=1e-6)


def test_mono_windows_need_no_channel():
    sound = np.random.default_rng(0).normal(size=LENGTH).astype(np.float32)
    assert (joined(sound, RATE, LENGTH) == joined(sound[:, None], RATE, LENGTH)).all()


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_another_rate_has_the_recording_s_length(extra):
    time = np.arange(LENGTH) / RATE
    sound = np.sin(2 * np.pi * 440 * time).astype(np.float32)
    whole = resample(sound, RATE, 44_100)
    found = joined(sound[:, None], 44_100, len(whole) + extra)
    assert found.shape == (len(whole) + extra, 1)
    middle = slice(500, len(whole) - 500)
    np.testing.assert_allclose(found[middle, 0], whole[middle], atol=1e-4)
