"""Writing: complete files only, at their place only when complete."""

import os

import numpy as np
import pytest

from hsmtss_jax.audio import io
from hsmtss_jax.audio.io import AudioError
from tests.audio.io.sounds import tone

NOISE = tone(20000, 2)
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".WAV"])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_write_then_read(tmp_path, suffix, channels):
    x = RNG.uniform(-1, 1, (500, channels)).astype(np.float32)
    path = tmp_path / f"a{suffix}"
    io.write_audio(path, x, 22050)
    got = io.read_audio(str(path))
    assert got.sample_rate == 22050 and got.samples.dtype == np.float32
    np.testing.assert_allclose(got.samples, x, atol=1 / 32000)
    assert io.probe(path) == io.AudioInfo(22050, channels, 500, path.suffix[1:].upper(), "PCM_16")
    assert io.probe(path).seconds == 500 / 22050
    assert os.listdir(tmp_path) == [path.name]


def test_float_is_kept_and_pcm_is_clipped(tmp_path):
    x = np.array([0.0, 1.5, -2.0, 0.3], np.float32)
    io.write_audio(tmp_path / "f.wav", x, 16000, subtype="FLOAT")
    np.testing.assert_array_equal(io.read_audio(tmp_path / "f.wav").samples[:, 0], x)
    io.write_audio(tmp_path / "p.wav", x, 16000)
    np.testing.assert_allclose(
        io.read_audio(tmp_path / "p.wav").samples[:, 0], x.clip(-1, 1), atol=1e-4
    )


@pytest.mark.parametrize(
    ("name", "subtype", "reason"),
    [
        ("a.mp3", "PCM_16", ".wav or .flac"),
        ("a", "PCM_16", "no suffix"),
        ("none/a.wav", "PCM_16", "does not exist"),
        ("folder.wav", "PCM_16", "not a file"),
        ("a.flac", "FLOAT", "no subtype"),
        ("a.wav", "NONE", "no subtype"),
    ],
)
def test_unwritable(tmp_path, name, subtype, reason):
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(AudioError, match=reason):
        io.write_audio(tmp_path / name, np.zeros(10), 16000, subtype=subtype)
    assert os.listdir(tmp_path) == ["folder.wav"]


def test_bad_shape_and_rate(tmp_path):
    with pytest.raises(AudioError, match=r"\[L\] or \[L, C\]"):
        io.write_audio(tmp_path / "a.wav", np.zeros((1, 2, 3)), 16000)
    with pytest.raises(AudioError, match="cannot be written"):
        io.write_audio(tmp_path / "a.wav", np.zeros(10), -5)
    assert os.listdir(tmp_path) == []


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.wav"
    io.write_audio(path, NOISE, 16000)
    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt), io.open_writer(path, 16000, 2) as writer:
        writer.write(NOISE[:100])
        raise KeyboardInterrupt
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["a.wav"]


def test_blocks_can_be_written_through_a_link(tmp_path):
    (tmp_path / "real.flac").touch()
    (tmp_path / "link.flac").symlink_to(tmp_path / "real.flac")
    with io.open_writer(tmp_path / "link.flac", 16000, 2, subtype="PCM_24") as writer:
        for start in range(0, len(NOISE), 7000):
            writer.write(NOISE[start : start + 7000])
    assert (tmp_path / "link.flac").is_symlink()
    np.testing.assert_allclose(io.read_audio(tmp_path / "real.flac").samples, NOISE, atol=1e-6)
