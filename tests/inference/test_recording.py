"""Recordings are read block by block, as they would be read whole."""

import io

import numpy as np
import pytest
import soundfile

from hsmtss_jax.audio.io import resample
from hsmtss_jax.inference.recording import LOUD_DB, QUIET_DB, open_recording, working_gain

RATE = 16000


def noise(seconds, rate, channels=2, scale=0.1):
    rng = np.random.default_rng(0)
    return (scale * rng.normal(size=(int(seconds * rate), channels))).astype(np.float32)


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100, 192_000])
def test_mono_is_the_resampled_mean(rate):
    samples = noise(0.3, rate, 8)
    recording = open_recording(samples, rate)
    mono = np.concatenate(list(recording.mono(RATE, size=1000)))
    assert len(mono) == recording.length_at(RATE)
    np.testing.assert_allclose(mono, resample(samples.mean(axis=1), rate, RATE), atol=1e-5)


def test_a_part_of_a_file_is_that_part_of_its_samples(tmp_path):
    samples = noise(1.0, 44_100)
    soundfile.write(tmp_path / "in.wav", samples, 44_100, subtype="FLOAT")
    of_file = open_recording(tmp_path / "in.wav", start=0.25, end=0.75)
    of_array = open_recording(samples, 44_100, start=0.25, end=0.75)
    assert of_file.length == of_array.length == 22_050 and of_file.channels == 2
    blocks = [np.concatenate(list(recording.blocks())) for recording in (of_file, of_array)]
    np.testing.assert_array_equal(*blocks)
    assert open_recording(samples, 44_100, end=9.0).length == 44_100


@pytest.mark.parametrize(("scale", "level"), [(1e-3, QUIET_DB), (0.1, -20.0), (0.9, LOUD_DB)])
def test_the_level_is_brought_into_range(scale, level):
    samples = np.concatenate([noise(1.0, RATE, 1, scale), np.zeros((RATE, 1), np.float32)])
    gain = working_gain(open_recording(samples, RATE), RATE, size=999)
    found = 20 * np.log10(gain * np.sqrt(np.mean(samples[:RATE] ** 2)))
    assert found == pytest.approx(level, abs=0.2)


def test_turning_up_does_not_clip():
    samples = np.zeros((RATE, 1), np.float32)
    samples[8000] = 0.5
    samples[:, 0] += noise(1.0, RATE, 1, 1e-4)[:, 0]
    assert working_gain(open_recording(samples, RATE), RATE) <= 2.0


def test_open_files_and_other_arrays(tmp_path):
    samples = noise(1.0, RATE)
    soundfile.write(tmp_path / "in.wav", samples, RATE, subtype="FLOAT")
    content = (tmp_path / "in.wav").read_bytes()
    with (tmp_path / "in.wav").open("rb") as file:
        recordings = [
            open_recording(file),
            open_recording(io.BytesIO(content), end=9.0),
            open_recording(samples.T, float(RATE)),
            open_recording(samples.tolist(), np.int32(RATE)),
        ]
    for recording in recordings:
        for _ in range(2):
            got = np.concatenate(list(recording.blocks()))
            np.testing.assert_allclose(got, samples, atol=1e-6)
    with pytest.raises(ValueError, match="whole number"):
        open_recording(samples, "16000")
