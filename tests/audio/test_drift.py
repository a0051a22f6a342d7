"""What lies below hearing is found, and what can be heard is left."""

import numpy as np
import pytest

from hsmtss_jax.audio.drift import LowCut, drift

SECONDS = 2


def tone(hz, rate):
    return np.sin(2 * np.pi * hz * np.arange(SECONDS * rate) / rate)[:, None].astype(np.float32)


def level(sound):
    """RMS in dB without the ends."""
    inner = sound[len(sound) // 4 : -len(sound) // 4]
    return 20 * np.log10(np.sqrt(np.mean(inner**2) * 2) + 1e-9)


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100])
def test_drift_is_what_is_below_ten_hertz(rate):
    assert level(drift(tone(1, rate), rate)) > -0.5
    assert level(drift(tone(20, rate), rate)) < -50
    assert level(drift(tone(30, rate), rate)) < -26
    assert level(drift(tone(300, rate), rate)) < -45


@pytest.mark.parametrize("samples", [1, 7, 400, 4000])
def test_a_constant_is_its_own_drift(samples):
    constant = np.full((samples, 2), [0.3, -0.7], np.float32)
    np.testing.assert_allclose(drift(constant, 16_000), constant, atol=1e-7)


def test_the_filter_takes_an_offset_and_leaves_sound():
    sound = tone(100, 16_000)
    low_cut = LowCut(16_000, 1)
    parts = [low_cut(block) for block in np.split(sound + 0.5, [0, 100, 5000])]
    whole = LowCut(16_000, 1)(sound + 0.5)
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-6)
    assert abs(whole[8000:].mean()) < 1e-3 and abs(level(whole)) < 0.1
