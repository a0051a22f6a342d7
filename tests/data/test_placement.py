"""Windows from clips of any length."""

import itertools

import numpy as np
import pytest

from hsmtss_jax.data import placement

L = 4000


def tone(n: int) -> np.ndarray:
    return np.sin(np.arange(n) / 3).astype(np.float32)


@pytest.mark.parametrize("n", [0, 1, 300, 1900, 3999, 4000, 4001, 20000])
@pytest.mark.parametrize("augmented", [False, True])
@pytest.mark.parametrize("short", ["pad", "place", "repeat"])
def test_draw_renders_what_it_says(n, augmented, short):
    for seed in range(6):
        rng = np.random.default_rng(seed)
        chosen, window, used = placement.draw(tone(n), L, rng, short=short, augmented=augmented)
        assert window.shape == (L,) and window.dtype == np.float32 and 0 <= used <= L
        assert np.all(window[used:] == 0) and np.all(np.isfinite(window))
        assert n < 2 or np.abs(window).max() > 0
        again, same = placement.render(tone(n), chosen, L)
        np.testing.assert_array_equal(again, window)
        assert same == used


def drawn(short, n=300, samples=16_000):
    """The placements of a clip in 40 windows."""
    rngs = [np.random.default_rng(seed) for seed in range(40)]
    return [placement.draw(tone(n), samples, r, short=short, augmented=False)[0] for r in rngs]


def test_padded_clips_start_at_zero():
    assert {chosen.offsets for chosen in drawn("pad")} == {(0,)}


def test_placed_clips_stand_once_anywhere():
    starts = [offset for chosen in drawn("place") for offset in chosen.offsets]
    assert len(starts) == 40 and len(set(starts)) > 30 and max(starts) + 300 <= 16_000


def test_repetitions_do_not_overlap():
    repeated = 0
    for chosen in drawn("repeat"):
        offsets = chosen.offsets
        assert all(b - a >= 300 for a, b in itertools.pairwise(offsets))
        assert offsets[0] >= 0 and offsets[-1] + 300 <= 16000
        repeated += len(offsets) > 1
    assert 8 < repeated < 32


@pytest.mark.parametrize("augmented", [False, True])
@pytest.mark.parametrize("silence", [0, 1500, 20_000, 200_000])
def test_excerpt_is_never_silence(silence, augmented):
    """However rare the sound in a clip is, and wherever: the window holds some of it."""
    audio = np.concatenate([np.zeros(silence), tone(3000), np.zeros(silence)]).astype(np.float32)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        chosen, window, _ = placement.draw(audio, L, rng, short="repeat", augmented=augmented)
        assert np.abs(window).max() > 0.01
        np.testing.assert_array_equal(placement.render(audio, chosen, L)[0], window)
