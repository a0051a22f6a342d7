"""Near duplicates are found by their sound: cut, filtered, quieter; other recordings are not."""

import numpy as np
import pytest
from scipy import signal

from hsmtss_jax.data import fingerprint

RATE = 16000


def sound(seed: int, seconds: float = 3.0) -> np.ndarray:
    """Bursts of filtered noise at random times."""
    rng = np.random.default_rng(seed)
    x = np.zeros(int(seconds * RATE))
    for _ in range(int(6 * seconds)):
        at, pitch = rng.integers(len(x) - 800), rng.uniform(300, 5000)
        n = min(len(x) - at, int(rng.uniform(800, 6000)))
        t = np.arange(n) / RATE
        x[at : at + n] += np.exp(-8 * t) * np.sin(2 * np.pi * pitch * t + rng.standard_normal(n))
    return (0.3 * x / np.max(np.abs(x)) * 32767).astype(np.int16)


def telephone(x: np.ndarray) -> np.ndarray:
    return signal.sosfilt(signal.butter(4, [300, 3400], "band", fs=RATE, output="sos"), x)


CHANGES = {
    "copy": lambda x: x,
    "quieter": lambda x: x * 0.1,
    "later": lambda x: np.concatenate([np.zeros(5000), x]),
    "cut": lambda x: x[9000:40000],
    "telephone": telephone,
    "noisy": lambda x: x + np.random.default_rng(0).normal(0, 0.03 * x.std(), len(x)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_same_recording_is_found(change):
    clips = [sound(i) for i in range(4)]
    clips.append(CHANGES[change](clips[2].astype(np.float32)))
    (match,) = fingerprint.near_duplicates(5, clips.__getitem__)
    assert (match.first, match.second) == (2, 4) and match.correlation <= 1.001
    wanted = {"later": 5000, "cut": -9000}.get(change, 0)
    assert match.offset == pytest.approx(wanted, abs=fingerprint.HOP)
    assert fingerprint.near_duplicates(5, clips.__getitem__, ["a", "b", "c", "d", "c"]) == []


def test_different_recordings_silence_and_scraps_are_not():
    clips = [sound(i) for i in range(6)]
    clips += [np.zeros(0, np.int16), np.zeros(16000, np.int16), np.ones(3, np.int16)]
    assert fingerprint.near_duplicates(len(clips), clips.__getitem__) == []
    assert len(fingerprint.landmarks(clips[-2]).hashes) == 0
    assert fingerprint.near_duplicates(0, clips.__getitem__) == []


def test_correlation_needs_something_in_common():
    x = sound(1)
    assert fingerprint.correlation(x, x, 0) == pytest.approx(1.0, abs=1e-3)
    assert fingerprint.correlation(x, -x, 0) == pytest.approx(1.0, abs=1e-3)
    assert fingerprint.correlation(x, x, len(x)) == 0.0
    assert fingerprint.correlation(x, sound(2), 0) < 0.2
