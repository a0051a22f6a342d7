"""Cnn14 as a judge: batches and lengths do not matter, short sounds are padded."""

import numpy as np
import pytest

from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.bundles.importers.cnn14 import cnn14_config, import_cnn14
from hsmtss_jax.evaluation.judges.cnn14 import Cnn14Judge, log_mel_spectrogram
from tests.bundles.importers.cnn14_state import cnn14_state


@pytest.fixture(scope="module")
def judge():
    state = cnn14_state()
    config = cnn14_config(state)
    described = {"model": {"channels": config.channels, "width": 7, "classes": 9}}
    return Cnn14Judge(Bundle("cnn14", described, import_cnn14(config, state)), batch=2)


def test_a_batch_is_its_sounds(judge):
    audio = 0.1 * np.random.RandomState(0).normal(size=(3, 36_000))
    found = judge(audio)
    assert found.logits.shape == (3, 9) and found.embedding.shape == (3, 7)
    np.testing.assert_allclose(judge(audio[2:]).logits, found.logits[2:], rtol=1e-4, atol=1e-4)


def test_a_short_sound_is_two_seconds_long(judge):
    short = 0.1 * np.random.RandomState(1).normal(size=(1, 9_000))
    short -= short.mean()
    found, padded = judge(short), judge(np.pad(short, ((0, 0), (0, 23_000))))
    np.testing.assert_allclose(found.logits, padded.logits, rtol=1e-4, atol=1e-4)
    assert log_mel_spectrogram(short).shape == (1, 201, 64)


def test_silence_is_the_floor():
    assert np.all(log_mel_spectrogram(np.full((1, 40_000), 0.2)) <= -99.9)
