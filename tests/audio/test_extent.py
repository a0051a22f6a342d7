"""Where a sound begins and ends does not depend on its offset, its level, or on blocks."""

import numpy as np
import pytest

from hsmtss_jax.audio.extent import Extent
from hsmtss_jax.audio.io import resample

RATE = 16_000
SOUND = 0.1 * np.random.default_rng(0).normal(size=(3000, 2)).astype(np.float32)
PADDED = np.pad(SOUND, ((5000, 7000), (0, 0)))


def span(sound, rate=RATE, size=1234):
    extent = Extent(rate, sound.shape[1])
    for start in range(0, len(sound), size):
        extent.push(sound[start : start + size])
    return extent.span()


@pytest.mark.parametrize("size", [1, 100, 1000, 20_000])
def test_silence_around_a_sound(size):
    assert span(PADDED, size=size) == (5000, 8000)
    assert span(SOUND, size=size) == (0, 3000)


@pytest.mark.parametrize("gain", [1e-3, -1, 30.0])
@pytest.mark.parametrize("offset", [0.0, -0.5])
def test_neither_gain_nor_offset_matter(gain, offset):
    assert span(gain * PADDED + np.float32(offset)) == (5000, 8000)


def test_one_channel_is_enough():
    late = PADDED.copy()
    late[:6000, 1] = 0
    assert span(late) == (5000, 8000)


@pytest.mark.parametrize("rate", [11_025, 44_100, 192_000])
def test_ringing_of_a_resampler_is_silence(rate):
    """Its filter rings through the whole recording, far below hearing."""
    first, last = (place / rate for place in span(resample(PADDED, RATE, rate), rate))
    assert first == pytest.approx(5000 / RATE, abs=0.01) and last == pytest.approx(
        8000 / RATE, abs=0.01
    )


def test_what_never_moves():
    assert span(np.full((1000, 1), 0.5, np.float32)) == (0, 0)
