import numpy as np
import pytest

from hsmtss_jax.evaluation import visqol


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore")
def test_visqol_hears_noise_and_skips_what_it_cannot_judge():
    pytest.importorskip("visqol")
    judge = visqol.make_visqol()
    rng = np.random.default_rng(0)
    time = np.arange(16_000) / 16_000
    clip = (0.3 * np.sin(2 * np.pi * 440 * time) * (1 + np.sin(2 * np.pi * 3 * time))).astype("f")
    same, noisy = judge(clip, clip), judge(clip + 0.1 * rng.normal(size=16_000).astype("f"), clip)
    assert same > 4.5 > noisy >= 1.0
    assert np.isnan(judge(clip[:4_000], clip[:4_000])) and np.isnan(judge(clip, 0 * clip))
