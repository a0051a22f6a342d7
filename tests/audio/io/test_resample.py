"""Resampling: lengths, alignment, blocks."""

import itertools

import numpy as np
import pytest

from hsmtss_jax.audio import io
from tests.audio.io.sounds import tone

NOISE = tone(20000, 2)


@pytest.mark.parametrize("samples", [1, 2, 3, 100, 441, 7919])
@pytest.mark.parametrize("rates", [(44100, 16000), (16000, 44100), (48000, 16000), (11025, 16000)])
def test_resampled_length(samples, rates):
    for shape in ((samples,), (samples, 3)):
        y = io.resample(np.ones(shape, np.float32), *rates)
        assert y.shape == (max(1, round(samples * rates[1] / rates[0])), *shape[1:])
        assert y.dtype == np.float32


def test_resample_keeps_a_tone_in_place():
    def tone(rate):
        return np.sin(2 * np.pi * 1000 * np.arange(rate) / rate).astype(np.float32)

    for quality in ("HQ", "VHQ"):
        y = io.resample(tone(44100), 44100, 16000, quality)
        np.testing.assert_allclose(y[500:-500], tone(16000)[500:-500], atol=1e-4)
    assert io.resample(NOISE, 16000, 16000) is NOISE
    assert io.resample(NOISE[:0], 16000, 8000).shape == (0, 2)
    with pytest.raises(ValueError, match="positive"):
        io.resample(NOISE, 0, 16000)


def test_to_mono():
    np.testing.assert_allclose(io.to_mono(NOISE), NOISE.mean(axis=1), atol=1e-7)
    assert io.to_mono(NOISE[:, 0]).shape == (20000,)


@pytest.mark.parametrize("rates", [(44100, 16000), (16000, 44100), (16000, 16000)])
def test_blocks_equal_the_whole(rates):
    cuts = [0, 1, 700, 701, 15000, 20000]
    blocks = (NOISE[a:b] for a, b in itertools.pairwise(cuts))
    got = np.concatenate(list(io.resample_blocks(blocks, 2, *rates, len(NOISE))))
    np.testing.assert_allclose(got, io.resample(NOISE, *rates), atol=1e-6)
