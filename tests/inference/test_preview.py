"""The few seconds to hear first."""

import numpy as np
import pytest
import soundfile

from hsmtss_jax.inference.preview import most_active_part

RATE = 8_000


def sound(*levels):
    """A second of noise of each level."""
    rng = np.random.default_rng(0)
    return np.concatenate([level * rng.normal(size=RATE) for level in levels]).astype(np.float32)


def test_most_is_heard_there():
    found = most_active_part(sound(0, 0.01, 0, 0.1, 0.1, 0, 0), 2.0, sample_rate=RATE)
    assert found == (pytest.approx(3.0, abs=0.2), pytest.approx(5.0, abs=0.2))


def test_a_click_does_not_decide():
    samples = sound(0, 0, 0.02, 0.02, 0, 0)
    samples[100] = 1.0
    start, _ = most_active_part(samples, 2.0, sample_rate=RATE)
    assert start == pytest.approx(2.0, abs=0.2)


def test_anti_phase_is_heard():
    samples = sound(0, 0, 0.1)
    start, end = most_active_part(np.stack([samples, -samples], 1), 1.0, sample_rate=RATE)
    assert (start, end) == (pytest.approx(2.0, abs=0.2), pytest.approx(3.0, abs=0.2))


def test_a_part_of_a_file(tmp_path):
    path = tmp_path / "in.wav"
    soundfile.write(path, sound(0.5, 0.1, 0.1, 0.1), RATE)
    start, end = most_active_part(path, 1.0, start="0:01")
    assert 1.0 <= start < end <= 4.0 and end - start == pytest.approx(1.0)
    assert most_active_part(path, 60.0, start=1) == (1.0, 4.0)
    with pytest.raises(ValueError, match="takes more than 0 s"):
        most_active_part(path, 0.0)
