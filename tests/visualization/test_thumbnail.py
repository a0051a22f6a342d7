"""Thumbnails: PNG bytes, bounded however long the sound, low frequencies below, one scale on request."""

import io

import numpy as np
from matplotlib.image import imread

from hsmtss_jax.visualization.thumbnail import loudest_db, spectrogram_png


def tone(hz, seconds=1.0, level=0.5):
    return level * np.sin(2 * np.pi * hz * np.arange(int(16_000 * seconds)) / 16_000)


def picture(sound, **options):
    return imread(io.BytesIO(spectrogram_png(sound, 16_000, **options)))[..., :3].sum(axis=-1)


def test_low_frequencies_are_below():
    image = picture(tone(1000))
    bright = image.mean(axis=1).argmax() / len(image)
    assert 0.85 < bright < 0.9  # of 8 kHz, from above
    assert picture(tone(1000, 60.0)).shape[1] <= 400 and image.shape[0] <= 129


def test_a_scale_can_be_shared():
    top = loudest_db(tone(1000), 16_000)
    quiet = tone(1000, level=0.005)
    assert picture(quiet).max() > picture(quiet, top_db=top).max()
    assert picture(np.zeros(4_000), top_db=top).max() < 0.1
