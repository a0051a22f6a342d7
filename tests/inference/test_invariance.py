"""What should not matter does not: the demo bundle's answer to one recording in many disguises.

Each disguise is undone in the result, whose SI-SDR to the true target may not move by more than 0.5 dB. Where
a disguise changes rounding alone, the result itself is the same far below hearing.
"""

import functools
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hsmtss_jax.audio.io import resample
from hsmtss_jax.inference import Separator
from hsmtss_jax.metrics import si_sdr

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
RATE = 16_000
FIRST, LAST = RATE, 3 * RATE + RATE // 2
SAME = 40.0  # [dB] of the result to the undisguised one's
MOVED = 0.5  # [dB] at most
WIDTH = 14_000  # [Hz] the rate through which recordings go that are put into other containers


@functools.cache
def separator() -> Separator:
    return Separator.from_pretrained()


@functools.cache
def example(name: str = "") -> np.ndarray:
    sound, _ = soundfile.read(EXAMPLES / f"speech_and_rain{name}.flac", dtype="float32")
    return sound[FIRST:LAST]


def narrowed(sound: np.ndarray) -> np.ndarray:
    return resample(resample(sound, RATE, WIDTH), WIDTH, RATE)


def separated(recording: np.ndarray, rate: int = RATE) -> np.ndarray:
    """Return the target [L, C]; target and rest are checked to be the recording."""
    result = separator().separate(recording, "extract the speech", sample_rate=rate)
    whole = recording.reshape(len(recording), -1)
    scale = float(np.abs(whole).max())
    np.testing.assert_allclose(result.target + result.residual, whole, atol=1e-6 * scale)
    return result.target


@functools.cache
def reference(narrow: bool = False) -> np.ndarray:
    return separated(narrowed(example()) if narrow else example())[:, 0]


def check(found: np.ndarray, narrow: bool = False, same: float = SAME) -> None:
    """Compare a result [L], undisguised, with the reference and by the true target."""
    target, expected = example("_target"), reference(narrow)
    assert si_sdr(found, target) == pytest.approx(float(si_sdr(expected, target)), abs=MOVED)
    assert si_sdr(found, expected) >= same


@pytest.mark.parametrize("gain", [1e-3, 0.1, -1.0, 4.0, 31.6])
def test_gain_and_polarity(gain):
    check(separated(np.float32(gain) * example())[:, 0] / gain)


@pytest.mark.parametrize(("gain", "offset"), [(1.0, 0.3), (0.1, -0.8)])
def test_offset(gain, offset):
    check(separated(np.float32(gain) * example() + np.float32(offset))[:, 0] / gain)


@pytest.mark.parametrize(
    "gains",
    [(1, 1), (1, -1), (0, 1), (1, 0), (0.3, -1), (1, -1, 0.5, 0, 1, -0.2, 1, 1)],
    ids=str,
)
def test_channels_that_carry_one_sound(gains):
    found = separated(example()[:, None] * np.array(gains, np.float32))
    for sound, gain in zip(found.T, gains, strict=True):
        if gain:
            check(sound / gain)
        else:
            assert not sound.any()


def test_order_and_polarity_of_channels():
    speech = example("_target")
    left, right = example(), 0.6 * example() - 0.4 * speech
    found = separated(np.stack([left, right], axis=1))
    disguised = separated(np.stack([-right, left], axis=1))
    assert si_sdr(disguised[:, 1], found[:, 0]) > SAME < si_sdr(-disguised[:, 0], found[:, 1])


def test_a_sound_in_the_difference_alone_is_found():
    """The rain is the same in both channels, the speech opposite: their mean is the rain alone."""
    speech = example("_target")
    rain = example() - speech
    found = separated(np.stack([rain + speech, rain - speech], axis=1))
    expected = float(si_sdr(reference(), speech))
    assert si_sdr(found[:, 0], speech) > expected - 1 < si_sdr(-found[:, 1], speech)


@pytest.mark.parametrize(("before", "behind"), [(0, 12.0), (1.2345, 0), (7.0, 50.0)])
def test_silence_before_and_behind(before, behind):
    first = round(before * RATE)
    padded = np.pad(example(), (first, round(behind * RATE)))
    found = separated(padded)[:, 0]
    check(found[first : first + len(example())])
    assert not found[:first].any() and not found[first + len(example()) :].any()


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000, 192_000])
@pytest.mark.parametrize("before", [0.0, 0.5])
def test_the_container_s_rate(rate, before):
    first = round(before * RATE)
    recording = resample(np.pad(narrowed(example()), (first, 0)), RATE, rate)
    found = resample(separated(recording, rate)[:, 0], rate, RATE)[first:]
    check(found[: len(example())], narrow=True, same=15.0)
