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
def test_draw_renders_what_it_says(n, augmented):
    for seed in range(6):
        rng = np.random.default_rng(seed)
        chosen, window, used = placement.draw(tone(n), L, rng, vary=True, augmented=augmented)
        assert window.shape == (L,) and window.dtype == np.float32 and 0 <= used <= L
        assert np.all(window[used:] == 0) and np.all(np.isfinite(window))
        assert n < 2 or np.abs(window).max() > 0
        again, same = placement.render(tone(n), chosen, L)
        np.testing.assert_array_equal(again, window)
        assert same == used


def test_without_variation_short_clips_start_at_zero():
    _, window, used = placement.draw(
        tone(500), L, np.random.default_rng(0), vary=False, augmented=False
    )
    assert used == 500
    np.testing.assert_array_equal(window[:500], tone(500))


def test_repetitions_do_not_overlap():
    repeated, clip = 0, tone(300)
    for seed in range(40):
        rng = np.random.default_rng(seed)
        offsets = placement.draw(clip, 16000, rng, vary=True, augmented=False)[0].offsets
        assert all(b - a >= 300 for a, b in itertools.pairwise(offsets))
        assert offsets[0] >= 0 and offsets[-1] + 300 <= 16000
        repeated += len(offsets) > 1
    assert 8 < repeated < 32


def test_excerpt_avoids_silence():
    audio = np.zeros(20000, np.float32)
    audio[12000:16000] = tone(4000)
    heard = [
        np.abs(
            placement.draw(audio, L, np.random.default_rng(s), vary=True, augmented=False)[1]
        ).max()
        for s in range(20)
    ]
    assert np.mean(np.array(heard) > 0.05) > 0.9
