"""The mask keeps what the reference has of the recording, at any rate, and adds nothing."""

import subprocess
import sys

import numpy as np
import pytest

from hsmtss_jax.audio.constants import SAMPLE_RATE as RATE
from hsmtss_jax.audio.drift import drift
from hsmtss_jax.audio.masking import HOP, apply_mask, mask_gains

SECONDS = 2.0


def tone(hz: float, rate: int, seconds: float = SECONDS) -> np.ndarray:
    return 0.3 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate).astype(np.float32)


def level(x: np.ndarray) -> float:
    return 10 * np.log10(np.mean(x[len(x) // 8 : -len(x) // 8] ** 2) + 1e-12)


@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 44_100, 96_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_tone_is_taken_out_of_two(rate, channels):
    low, high = tone(300.0, rate), tone(2500.0, rate)
    recording = np.stack([low + high] * channels, axis=1)
    gains = mask_gains(tone(300.0, RATE) + tone(2500.0, RATE), tone(300.0, RATE))
    out = apply_mask(recording, rate, gains)
    assert out.shape == recording.shape and out.dtype == np.float32
    assert level(out[:, -1] - low) < level(low) - 20


@pytest.mark.parametrize("offset", [0.0, 0.5])
def test_the_recording_itself_passes_unchanged_without_offset_and_drift(offset):
    noise = 0.1 * np.random.default_rng(0).normal(size=(3 * RATE + 17, 2)).astype(np.float32)
    gains = mask_gains(noise[:, 0], noise[:, 0])
    out = apply_mask(noise + np.float32(offset), RATE, gains)
    np.testing.assert_allclose(out, noise - drift(noise, RATE), atol=1e-6)


def test_a_silent_reference_gives_silence():
    noise = 0.1 * np.random.default_rng(1).normal(size=RATE).astype(np.float32)
    gains = mask_gains(noise, np.zeros(RATE, np.float32))
    assert not apply_mask(noise[:, None], RATE, gains).any()


@pytest.mark.parametrize("opposite", [None, 1.0])
def test_exponents_by_hand(opposite):
    """Half the amplitude everywhere: a quarter of the energy, and a fifth of it beside the opposite."""
    noise = 0.1 * np.random.default_rng(4).normal(size=RATE).astype(np.float32)
    other = None if opposite is None else opposite * noise
    gains = mask_gains(noise, 0.5 * noise, other)
    want = 0.25**0.35 if opposite is None else 0.25**0.1 * (0.25 / 1.25) ** 0.25
    np.testing.assert_allclose(gains, want, rtol=1e-4)


def test_what_the_opposite_has_alone_is_turned_down():
    """The target's sound claims the whole mixture; the opposite's says where that is doubtful."""
    low, high = tone(300.0, RATE), tone(2500.0, RATE)
    alone, both = (mask_gains(low + high, low + high, other) for other in (None, high))
    out = [apply_mask((low + high)[:, None], RATE, gains)[:, 0] for gains in (alone, both)]
    left = [level(sound - low) for sound in out]
    assert left[1] < left[0] - 1


def test_nothing_is_louder_than_the_recording():
    rng = np.random.default_rng(2)
    quiet, loud = (scale * rng.normal(size=RATE).astype(np.float32) for scale in (0.01, 1.0))
    gains = mask_gains(quiet, loud)
    assert gains.shape == (1 + RATE // HOP + (RATE % HOP > 0), gains.shape[1])
    assert gains.min() >= 0 and gains.max() <= 1


def test_blocks_do_not_show():
    """A recording of several blocks is what it would be in one."""
    block = 2
    seconds = 2 * block + 10
    rng = np.random.default_rng(3)
    recording = 0.1 * rng.normal(size=(seconds * 2000, 1)).astype(np.float32)
    gains = rng.uniform(size=(seconds * RATE // HOP + 1, 32)).astype(np.float32)
    out = apply_mask(recording, 2000, gains, block=block)
    whole = apply_mask(recording, 2000, gains, block=seconds)
    np.testing.assert_allclose(out, whole, atol=1e-6)


@pytest.mark.parametrize("samples", [1, 100, 1023, 1024])
def test_short_sounds(samples):
    x = 0.1 * np.ones(samples, np.float32)
    assert apply_mask(x[:, None], RATE, mask_gains(x, x)).shape == (samples, 1)


def test_the_import_is_a_quick_one():
    """scipy.signal brings scipy.stats along, and half a second."""
    code = "import sys; import hsmtss_jax.audio.masking; sys.exit('scipy.stats' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
