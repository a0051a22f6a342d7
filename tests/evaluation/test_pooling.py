import numpy as np
import pytest

from hsmtss_jax.evaluation.pooling import fixed_crops, pool, whole_clips
from hsmtss_jax.sampling import row_sizes

CLIPS = [np.arange(1, 5.0), np.arange(1, 11.0), np.arange(1, 7.0)]  # 4, 10 and 6 samples


def starts(windows):
    return [(w.row, int(w.audio[0]) - 1, w.samples) for w in windows]


def test_fixed_crops_lie_evenly_and_short_clips_are_padded():
    windows = list(fixed_crops(CLIPS.__getitem__, 3, window=6, crops=3))
    assert starts(windows) == [(0, 0, 4), (1, 0, 6), (1, 2, 6), (1, 4, 6), (2, 0, 6)]
    np.testing.assert_array_equal(windows[0].audio, [1, 2, 3, 4, 0, 0])
    middle = list(fixed_crops(CLIPS.__getitem__, 3, window=6, crops=1))
    assert starts(middle) == [(0, 0, 4), (1, 2, 6), (2, 0, 6)]


def test_whole_clips_cover_everything_once():
    clips = [np.ones(1000), np.ones(4500), np.ones(4100)]
    windows = list(whole_clips(clips.__getitem__, 3, window=2000))
    assert [(w.row, w.samples) for w in windows] == [
        *((0, 1000), (1, 2000), (1, 2000), (1, 500)),
        *((2, 2000), (2, 2000)),  # the last 100 samples are no frame
    ]


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_pool_is_the_weighted_mean_whatever_the_batch(batch):
    def embed(audio, samples):
        assert audio.shape[0] in row_sizes(batch) and audio.shape[1:] == (6,)
        return np.stack([audio.sum(axis=1), samples], axis=1), samples

    done = []
    windows = fixed_crops(CLIPS.__getitem__, 3, window=6, crops=3)
    pooled = pool(windows, embed, 3, batch, lambda *each: done.append(each))
    np.testing.assert_allclose(pooled, [[2.5, 1.0], [5.5, 1.0], [3.5, 1.0]])
    assert done[-1] == (3, 3)


def test_nothing_to_pool():
    with pytest.raises(ValueError, match="no clip"):
        pool(iter([]), lambda audio, samples: (audio, samples), 0, 2)
