import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from hsmtss_jax.audio import io
from hsmtss_jax.audio.io import AudioError

RNG = np.random.default_rng(0)
NOISE = (0.2 * RNG.standard_normal((20000, 2))).clip(-1, 1).astype(np.float32)


def test_needs_no_jax():
    code = "import sys; import hsmtss_jax.audio.io, hsmtss_jax.audio.level; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


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


@pytest.mark.parametrize("kind", ["ogg", "mp3", "aiff", "au"])
def test_other_formats_are_read(tmp_path, kind):
    soundfile.write(tmp_path / f"a.{kind}", NOISE, 44100)
    got = io.read_audio(tmp_path / f"a.{kind}")
    assert got.sample_rate == 44100 and got.samples.shape == NOISE.shape


@pytest.mark.parametrize("samples", [1, 2, 700])
def test_silence_and_one_sample_are_legal(tmp_path, samples):
    io.write_audio(tmp_path / "s.wav", np.zeros(samples), 16000)
    assert (io.read_audio(tmp_path / "s.wav").samples == np.zeros((samples, 1))).all()


def _error(path) -> str:
    """The message that all three readers agree on, in one line that names the file."""
    messages = set()
    for read in (io.read_audio, lambda p: list(io.read_blocks(p, 1000))):
        with pytest.raises(AudioError) as caught:
            read(path)
        messages.add(str(caught.value))
    (message,) = messages
    assert "\n" not in message and str(path) in message
    return message


def test_bad_places(tmp_path):
    assert "no such file" in _error(tmp_path / "none.wav")
    assert "folder" in _error(tmp_path)
    os.mkfifo(tmp_path / "pipe.wav")
    assert "not a regular file" in _error(tmp_path / "pipe.wav")
    with pytest.raises(AudioError, match="no such file"):
        io.probe(tmp_path / "none.wav")


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.raw", "a"])
@pytest.mark.parametrize("content", [b"hello world " * 99, b"\x00" * 64, b"RIFF"])
def test_not_audio(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert "not an audio file" in _error(tmp_path / name)


def test_empty(tmp_path):
    (tmp_path / "zero.wav").touch()
    assert "empty file" in _error(tmp_path / "zero.wav")
    soundfile.write(tmp_path / "none.wav", np.zeros((0, 1)), 16000)
    assert "no samples" in _error(tmp_path / "none.wav")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_finite(tmp_path, value):
    x = np.zeros(3000, np.float32)
    x[2500] = value
    soundfile.write(tmp_path / "n.wav", x, 16000, subtype="FLOAT")
    assert "NaN or infinite" in _error(tmp_path / "n.wav")
    with pytest.raises(AudioError, match="refusing"):
        io.write_audio(tmp_path / "out.wav", x, 16000)
    assert os.listdir(tmp_path) == ["n.wav"]


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_truncated(tmp_path, kind):
    path = tmp_path / f"t.{kind}"
    soundfile.write(path, NOISE, 16000)
    path.write_bytes(path.read_bytes()[:20000])
    assert "truncated" in _error(path)


def test_a_header_written_before_the_end_was_known_is_no_truncation(tmp_path):
    path = tmp_path / "s.wav"
    soundfile.write(path, NOISE, 16000)
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = b"\xff" * 4
    path.write_bytes(content)
    assert io.read_audio(path).samples.shape == NOISE.shape


def test_flac_stream_of_unknown_length(tmp_path):
    path = tmp_path / "s.flac"
    soundfile.write(path, NOISE, 16000)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)
    assert "unknown length" in _error(path)


@pytest.mark.parametrize("frames", [1, 999, 20000, 70000])
@pytest.mark.parametrize("mono", [False, True])
def test_blocks_join_to_the_file(tmp_path, frames, mono):
    if frames == 1 and mono:
        pytest.skip("slow and the same as stereo")
    soundfile.write(tmp_path / "a.wav", NOISE, 16000, subtype="FLOAT")
    blocks = list(io.read_blocks(tmp_path / "a.wav", frames, mono=mono))
    assert all(len(block) == frames for block in blocks[:-1])
    want = NOISE.mean(axis=1, keepdims=True) if mono else NOISE
    np.testing.assert_allclose(np.concatenate(blocks), want, atol=1e-7)


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_resampled_blocks_equal_the_whole(tmp_path, rate, monkeypatch):
    monkeypatch.setattr(io, "_BLOCK", 4096)
    soundfile.write(tmp_path / "a.wav", NOISE, rate, subtype="FLOAT")
    blocks = list(io.read_blocks(tmp_path / "a.wav", 1234, sample_rate=16000))
    want = io.resample(NOISE, rate, 16000)
    assert all(len(block) == 1234 for block in blocks[:-1])
    np.testing.assert_allclose(np.concatenate(blocks), want, atol=1e-6)
    with pytest.raises(ValueError, match="at least one"):
        next(io.read_blocks(tmp_path / "a.wav", 0))


@pytest.mark.parametrize("samples", [1, 2, 3, 100, 441, 7919])
@pytest.mark.parametrize("rates", [(44100, 16000), (16000, 44100), (48000, 16000), (11025, 16000)])
def test_resampled_length(samples, rates):
    for shape in ((samples,), (samples, 3)):
        y = io.resample(np.ones(shape, np.float32), *rates)
        assert y.shape == (max(1, round(samples * rates[1] / rates[0])), *shape[1:])
        assert y.dtype == np.float32


def test_resample_keeps_a_tone_in_place():
    def tone(rate):
        return np.sin(2 * np.pi * 1000 * np.arange(rate) / rate).astype(np.float32)

    for quality in ("HQ", "VHQ"):
        y = io.resample(tone(44100), 44100, 16000, quality)
        np.testing.assert_allclose(y[500:-500], tone(16000)[500:-500], atol=1e-4)
    assert io.resample(NOISE, 16000, 16000) is NOISE
    assert io.resample(NOISE[:0], 16000, 8000).shape == (0, 2)
    with pytest.raises(ValueError, match="positive"):
        io.resample(NOISE, 0, 16000)


def test_to_mono():
    np.testing.assert_allclose(io.to_mono(NOISE), NOISE.mean(axis=1), atol=1e-7)
    assert io.to_mono(NOISE[:, 0]).shape == (20000,)


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
