"""Augmentation keeps clips finite, within full scale, and is a function of its Generator."""

import numpy as np
import pytest

from hsmtss_jax.data import augment

RNG = np.random.default_rng(0)
SOUND = (RNG.standard_normal(8000) * np.hanning(8000) * 0.2).astype(np.float32)


def level_at(x: np.ndarray, frequency: float) -> float:
    tone = np.exp(-2j * np.pi * frequency * np.arange(len(x)) / 16000)
    return float(20 * np.log10(np.abs(np.sum(x * tone))))


@pytest.mark.parametrize("seed", range(12))
def test_augment_is_finite_bounded_deterministic(seed):
    out = augment.augment(SOUND, np.random.default_rng(seed))
    again = augment.augment(SOUND, np.random.default_rng(seed))
    np.testing.assert_array_equal(out, again)
    assert out.dtype == np.float32 and np.all(np.isfinite(out)) and np.abs(out).max() <= 1.0
    low, high = len(SOUND) / augment.MAX_SPEED, len(SOUND) * augment.MAX_SPEED
    assert low - 2 <= len(out) <= high + 2


@pytest.mark.parametrize("length", [0, 1, 5, 100])
def test_short_and_silent_clips_survive(length):
    for seed in range(8):
        out = augment.augment(np.zeros(length, np.float32), np.random.default_rng(seed))
        assert np.all(out == 0)


def test_change_speed_moves_the_pitch():
    tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000).astype(np.float32)
    fast = augment.change_speed(tone, 1.1)
    assert abs(len(fast) - 16000 / 1.1) < 2
    peak = np.argmax(np.abs(np.fft.rfft(fast))) * 16000 / len(fast)
    assert peak == pytest.approx(1100, abs=2)


def test_filter_sections_have_their_gain():
    from scipy import signal

    def gain(section: np.ndarray, frequency: float) -> float:
        _, response = signal.freqz_sos(section[None], [frequency], fs=16000)
        return float(20 * np.log10(np.abs(response[0])))

    low, high = augment.shelf(300, 6.0, high=False), augment.shelf(4000, -6.0, high=True)
    assert gain(low, 10) == pytest.approx(6, abs=0.1) and gain(low, 7000) == pytest.approx(
        0, abs=0.1
    )
    assert gain(high, 7990) == pytest.approx(-6, abs=0.1) and gain(high, 50) == pytest.approx(
        0, abs=0.1
    )
    assert gain(augment.peaking(2000, 5.0), 2000) == pytest.approx(5, abs=0.01)


def test_reverberation_adds_a_tail():
    click = np.zeros(8000, np.float32)
    click[100] = 1.0
    wet = augment.reverberate(click, np.random.default_rng(1))
    assert wet[100] == pytest.approx(1.0, abs=0.05)
    assert np.all(np.abs(wet[:100]) < 1e-4) and np.sum(np.square(wet[101:])) > 1e-4
