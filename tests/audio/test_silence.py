"""Digital silence is put back where the sound has it, and never touches the sound beside it."""

import numpy as np

from hsmtss_jax.audio.silence import noise_gate, silence_gain

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


def test_the_codec_s_noise_floor_is_muted_and_its_sound_is_not():
    noise = np.random.default_rng(1).normal(size=(2, RATE)).astype(np.float32)
    decoded = 1e-5 * noise  # -100 dBFS
    decoded[0, 4000:8000] = 1e-3 * noise[0, 4000:8000]  # -60 dBFS
    gated = noise_gate(decoded, RATE)
    assert gated.dtype == np.float32
    np.testing.assert_allclose(gated[0, 4000:8000], decoded[0, 4000:8000], rtol=1e-5)
    assert not gated[0, :3000].any() and not gated[0, 9000:].any() and not gated[1].any()


def test_a_quiet_sound_of_the_codec_passes_the_gate():
    decoded = np.full((1, RATE), 2e-4, np.float32)  # -74 dBFS
    np.testing.assert_allclose(noise_gate(decoded, RATE), decoded, rtol=1e-5)
