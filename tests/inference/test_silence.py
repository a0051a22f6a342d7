"""The silence gate mutes digital silence only, and never the sound beside it."""

import numpy as np

from hsmtss_jax.inference.silence import silence_gain

RATE = 16000


def test_silence_is_muted_and_sound_is_left_alone():
    audio = np.zeros((2, RATE), np.float32)
    audio[0, 4000:8000] = 0.1 * np.random.default_rng(0).normal(size=4000)
    gain = silence_gain(audio, RATE)
    assert gain.shape == audio.shape and gain.min() >= 0 and gain.max() <= 1 + 1e-6
    np.testing.assert_allclose(gain[0, 4000:8000], 1.0, atol=1e-5)
    assert not gain[0, :3500].any() and not gain[0, 8500:].any() and not gain[1].any()


def test_quiet_noise_is_no_silence():
    audio = np.full(RATE, 2.0**-14, np.float32)
    np.testing.assert_allclose(silence_gain(audio, RATE), 1.0, atol=1e-5)
