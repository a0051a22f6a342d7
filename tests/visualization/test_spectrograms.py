"""The figure of a separation: bounded however long the sound, with the activity below."""

import numpy as np
from matplotlib.image import imread

from hsmtss_jax.visualization import save_comparison
from hsmtss_jax.visualization.spectrograms import COLUMNS, _pooled, spectrogram_db


def test_long_sounds_are_pooled_by_their_loudest():
    audio = 1e-4 * np.random.default_rng(0).normal(size=400_000)
    audio[200_000:200_800] += 0.5 * np.sin(np.arange(800))
    times, freq, db = spectrogram_db(audio, 16_000)
    few, _, pooled = _pooled(times, freq, db)
    assert len(times) > COLUMNS >= len(few) == pooled.shape[1]
    assert pooled.max() == db.max() and abs(few[pooled.max(axis=0).argmax()] - 12.5) < 0.1
    same = _pooled(times[:9], freq, db[:, :9])
    np.testing.assert_array_equal(same[2], db[:, :9])


def test_the_activity_adds_a_row(tmp_path):
    sounds = {"mixture": np.random.default_rng(0).normal(size=4000), "x": np.zeros(4000)}
    save_comparison(tmp_path / "a.png", sounds, 8000)
    curve = np.linspace(0, 0.5, 4), np.linspace(0, 1, 4)
    save_comparison(tmp_path / "b.png", sounds, 8000, activity=curve)
    plain, more = (imread(tmp_path / f"{name}.png").shape for name in "ab")
    assert more[0] > plain[0] and more[1] == plain[1]
