"""YAMNet as a judge: patches cover the whole sound; with the published weights, a tone is no noise."""

import jax
import numpy as np
import pytest

from hsmtss_jax.bundles.importers.yamnet import YAMNetWeights, available
from hsmtss_jax.evaluation.judges.yamnet import YAMNetJudge, log_mel_patches
from hsmtss_jax.models.judges.yamnet import YAMNetConfig

TINY = YAMNetConfig(stem=2, blocks=((4, 2), (6, 2)), classes=5)


def tiny_judge():
    params = TINY.make().init(jax.random.key(0), np.zeros((1, 96, 64), np.float32))
    return YAMNetJudge(YAMNetWeights(params, ("a", "b", "c", "d", "e")), TINY, batch=4)


@pytest.mark.parametrize(
    ("samples", "count"),
    [(1, 1), (15_600, 1), (15_601, 2), (15_600 + 7_680, 2), (80_000, 10)],
)
def test_patches_cover_the_sound(samples, count):
    assert log_mel_patches(np.zeros((2, samples))).shape == (2, count, 96, 64)


def test_the_front_end_by_hand():
    """A tone of bin 32 (1 kHz): magnitude 0.5 of the window's sum in its band, the floor elsewhere."""
    tone = np.sin(2 * np.pi * 1_000 * np.arange(15_600) / 16_000)
    patches = log_mel_patches(np.stack([tone, 0 * tone]))
    np.testing.assert_allclose(patches[1], np.log(0.001), rtol=1e-6)
    bands = 1127 * np.log(1 + np.array([125, 1_000, 7_500]) / 700)
    expected = int((bands[1] - bands[0]) / ((bands[2] - bands[0]) / 65)) - 1
    assert abs(int(patches[0, 0].mean(axis=0).argmax()) - expected) <= 1
    assert np.log(50) < patches[0].max() < np.log(200)


def test_a_sound_is_its_patches_on_average():
    judge = tiny_judge()
    audio = 0.1 * np.random.RandomState(0).normal(size=(2, 30_000))
    found = judge(audio)
    assert judge.name == "YAMNet" and found.logits.shape == (2, 5)
    np.testing.assert_allclose(judge(audio[1:]).logits, found.logits[1:], atol=1e-5)
    twice = judge(np.zeros((1, 15_600))).logits, judge(np.zeros((1, 60_000))).logits
    np.testing.assert_allclose(*twice, atol=1e-5)


@pytest.mark.extra
def test_the_published_weights_know_sounds():
    if not available():
        pytest.skip("the extra yamnet is not installed")
    judge = YAMNetJudge()
    seconds = np.arange(32_000) / 16_000
    sounds = {
        "White noise": 0.3 * np.random.RandomState(0).normal(size=32_000),
        "Sine wave": 0.3 * np.sin(2 * np.pi * 1_000 * seconds),
        "Silence": 0 * seconds,
    }
    logits = judge(np.stack(list(sounds.values()))).logits
    for name, row in zip(sounds, logits, strict=True):
        assert name in [judge.classes[i] for i in np.argsort(-row)[:5]]
