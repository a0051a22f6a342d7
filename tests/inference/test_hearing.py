"""The networks hear every recording at one level, from where it sounds, without its offset."""

import numpy as np
import pytest

from hsmtss_jax.audio.constants import WORKING_LEVEL
from hsmtss_jax.audio.io import resample
from hsmtss_jax.inference.hearing import find_sound, hear
from hsmtss_jax.inference.recording import open_recording

RATE = 16_000


def noise(seconds, rate=RATE, channels=1, scale=0.1):
    rng = np.random.default_rng(0)
    return (scale * rng.normal(size=(int(seconds * rate), channels))).astype(np.float32)


def sound_of(samples, rate=RATE, size=999):
    return np.concatenate(list(hear(open_recording(samples, rate), RATE, size=size).mono(size)))


@pytest.mark.parametrize("scale", [1e-4, 0.1, 30.0])
@pytest.mark.parametrize("pause", [0, 1000, 50_000])
def test_active_parts_are_at_working_level(scale, pause):
    quiet = 1e-3 * scale * np.ones((pause, 1), np.float32)
    quiet[::2] *= -1
    heard = sound_of(np.concatenate([quiet, noise(1.0, scale=scale), quiet]))
    level = np.sqrt(np.mean(heard[pause : pause + RATE] ** 2))
    assert level == pytest.approx(WORKING_LEVEL, rel=0.02)


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100, 192_000])
def test_one_channel_is_heard_as_it_is_at_the_networks_rate(rate):
    samples = noise(0.5, rate)
    recording = open_recording(samples, rate)
    heard = hear(recording, RATE)
    sound = np.concatenate(list(heard.mono(1000)))
    assert len(sound) == heard.length == recording.length_at(RATE)
    expected = heard.gain * resample(samples[:, 0] - samples.mean(), rate, RATE)
    error = np.mean((sound - expected)[RATE // 10 :] ** 2) / np.mean(expected**2)
    assert error < 0.03  # what lies around 20 Hz and below


@pytest.mark.parametrize("offset", [0.0, 0.4])
def test_outer_silence_is_left_out_and_the_offset_taken_away(offset):
    samples = noise(0.5, channels=2)
    padded = np.pad(samples, ((5000, 3000), (0, 0))) + np.float32(offset)
    heard = hear(open_recording(padded, RATE), RATE)
    assert (heard.silence_before, heard.silence_behind) == (5000, 3000)
    assert heard.sounding.recording.length == heard.length == len(samples)
    np.testing.assert_allclose(heard.sounding.offset, samples.mean(axis=0) + offset, atol=1e-6)
    np.testing.assert_allclose(sound_of(padded), sound_of(samples), atol=1e-5)


def test_a_click_in_silence_is_heard_with_some_of_it():
    samples = np.zeros((RATE, 1), np.float32)
    samples[9000] = 0.5
    sounding = find_sound(open_recording(samples, RATE))
    assert sounding.first <= 9000 < sounding.first + sounding.recording.length
    assert sounding.recording.length == RATE // 20


def test_the_bandwidth_is_the_recording_s():
    telephone = resample(noise(1.0, 8000)[:, 0], 8000, 44_100)[:, None]
    assert 3600 < hear(open_recording(telephone, 44_100), RATE).bandwidth <= 4000
    assert hear(open_recording(noise(1.0, 44_100), 44_100), RATE).bandwidth > 7500


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (np.zeros(RATE), "silent"),
        (np.full(RATE, 0.3), "silent"),
        (1e-7 * np.sin(np.arange(RATE)), "silent"),
        (np.ones(100), "too short"),
        (np.full(RATE, np.nan), "NaN"),
        (np.full(RATE, 1e30), r"as large as 1e\+30: it is damaged"),
    ],
)
def test_what_cannot_be_heard_is_said(samples, said):
    with pytest.raises(ValueError, match=said):
        hear(open_recording(samples.astype(np.float32), RATE), RATE)


def test_a_part_is_heard_at_the_level_of_the_whole():
    samples = np.concatenate([np.zeros((500, 1), np.float32), noise(2.0), 4 * noise(1.0)])
    whole = hear(open_recording(samples, RATE), RATE)
    part = whole.within(8000, 24_000)
    assert (part.gain, part.whole, part.length) == (whole.gain, whole.whole, 16_000)
    assert (part.silence_before, part.silence_behind) == (8000, len(samples) - 24_000)
    sound, all_of_it = (np.concatenate(list(each.mono())) for each in (part, whole))
    first = 8000 - whole.silence_before
    np.testing.assert_allclose(sound[2000:], all_of_it[first + 2000 : first + 16_000], atol=1e-3)


def test_a_part_without_sound_is_the_whole():
    samples = np.concatenate([np.zeros((8000, 1), np.float32), noise(2.0)])
    whole = hear(open_recording(samples, RATE), RATE)
    assert whole.within(0, 4000) is whole
