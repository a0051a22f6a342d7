"""Spectrograms: bounded however long the sound, one colour scale, references under their commands."""

import numpy as np
import pytest
from matplotlib.image import imread

from hsmtss_jax.visualization import save_comparison
from hsmtss_jax.visualization.spectrograms import pooled, save_commands, spectrogram_db


def noise(seed: int, length: int = 4000) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).normal(size=length)


def test_long_sounds_are_pooled_by_their_loudest():
    audio = 1e-4 * np.random.default_rng(0).normal(size=400_000)
    audio[200_000:200_800] += 0.5 * np.sin(np.arange(800))
    times, freq, db = spectrogram_db(audio, 16_000)
    few, _, picture = pooled(times, freq, db, columns=1500)
    assert len(times) > 1500 >= len(few) == picture.shape[1]
    assert picture.max() == db.max() and abs(few[picture.max(axis=0).argmax()] - 12.5) < 0.1
    same = pooled(times[:9], freq, db[:, :9])
    np.testing.assert_array_equal(same[2], db[:, :9])


def test_the_activity_adds_a_row(tmp_path):
    sounds = {"mixture": noise(0), "x": np.zeros(4000)}
    save_comparison(tmp_path / "a.png", sounds, 8000)
    curve = np.linspace(0, 0.5, 4), np.linspace(0, 1, 4)
    save_comparison(tmp_path / "b.png", sounds, 8000, activity=curve)
    plain, more = (imread(tmp_path / f"{name}.png").shape for name in "ab")
    assert more[0] > plain[0] and more[1] == plain[1]


def test_references_add_a_row_below_their_commands(tmp_path):
    results = {"extract: a dog": noise(1), "remove: a dog": noise(2)}
    save_commands(tmp_path / "a.png", noise(0), results, 8000)
    references = {"remove: a dog": noise(3)}
    save_commands(tmp_path / "b.png", noise(0), results, 8000, references=references, title="x")
    plain, more = (imread(tmp_path / f"{name}.png") for name in "ab")
    assert more.shape[0] > 1.5 * plain.shape[0] and more.shape[1] == plain.shape[1]
    drawn = [np.ptp(more[-200:, left : left + 200, :3]) > 0.5 for left in (100, 1000)]
    assert drawn == [False, True]  # nothing below the mixture


def test_a_reference_needs_its_command(tmp_path):
    with pytest.raises(ValueError, match="of no command: remove"):
        save_commands(
            tmp_path / "a.png",
            noise(0),
            {"extract": noise(1)},
            8000,
            references={"remove": noise(2)},
        )
    assert not list(tmp_path.iterdir())
