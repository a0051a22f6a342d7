"""Recordings are read block by block, as they would be read whole."""

import io

import numpy as np
import pytest
import soundfile

from hsmtss_jax.inference.recording import open_recording

RATE = 16000


def noise(seconds, rate, channels=2, scale=0.1):
    rng = np.random.default_rng(0)
    return (scale * rng.normal(size=(int(seconds * rate), channels))).astype(np.float32)


def test_a_part_of_a_file_is_that_part_of_its_samples(tmp_path):
    samples = noise(1.0, 44_100)
    soundfile.write(tmp_path / "in.wav", samples, 44_100, subtype="FLOAT")
    of_file = open_recording(tmp_path / "in.wav", start=0.25, end=0.75)
    of_array = open_recording(samples, 44_100, start=0.25, end=0.75)
    assert of_file.length == of_array.length == 22_050 and of_file.channels == 2
    blocks = [np.concatenate(list(recording.blocks())) for recording in (of_file, of_array)]
    np.testing.assert_array_equal(*blocks)
    parts = [np.concatenate(list(each.part(100, 900).blocks(99))) for each in (of_file, of_array)]
    np.testing.assert_array_equal(parts[0], blocks[0][100:900])
    np.testing.assert_array_equal(*parts)
    assert open_recording(samples, 44_100, end=9.0).length == 44_100


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
