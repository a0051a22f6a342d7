"""Reading: headers, whole files, blocks, pipes, and faults in one line."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
import soundfile

from hsmtss_jax.audio import io
from hsmtss_jax.audio.io import AudioError
from tests.audio.io.sounds import encoded, tone

NOISE = tone(20000, 2)


def test_needs_no_jax():
    code = "import sys; import hsmtss_jax.audio.io, hsmtss_jax.audio.level; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("kind", ["ogg", "mp3", "aiff", "au", "caf", "w64", "voc", "nist"])
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
    with pytest.raises(AudioError, match="neither a regular file nor a pipe"):
        io.probe("/dev/null")
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
def test_resampled_blocks_equal_the_whole(tmp_path, rate):
    soundfile.write(tmp_path / "a.wav", NOISE, rate, subtype="FLOAT")
    blocks = list(io.read_blocks(tmp_path / "a.wav", 1234, sample_rate=16000))
    want = io.resample(NOISE, rate, 16000)
    assert all(len(block) == 1234 for block in blocks[:-1])
    np.testing.assert_allclose(np.concatenate(blocks), want, atol=1e-6)
    with pytest.raises(ValueError, match="at least one"):
        next(io.read_blocks(tmp_path / "a.wav", 0))


def test_a_named_pipe_is_read_more_than_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    content = encoded("WAV", "PCM_24", NOISE)
    threading.Thread(target=(tmp_path / "pipe.wav").write_bytes, args=[content]).start()
    assert io.probe(tmp_path / "pipe.wav").frames == 20000
    np.testing.assert_allclose(io.read_audio(tmp_path / "pipe.wav").samples, NOISE, atol=1e-6)


def test_a_pipe_without_a_writer_and_a_late_one(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(AudioError, match="a pipe that nobody writes to"):
        io.probe(tmp_path / "pipe.wav")
    write = (tmp_path / "pipe.wav").write_bytes
    threading.Timer(1.0, write, args=[encoded("WAV", "PCM_24", NOISE)]).start()
    assert io.probe(tmp_path / "pipe.wav").frames == 20000


def test_a_process_substitution(tmp_path):
    (tmp_path / "a.flac").write_bytes(encoded("FLAC", "PCM_16", NOISE))
    code = "import sys; from hsmtss_jax.audio import io; print(io.probe(sys.argv[1]).frames)"
    command = f"{sys.executable} -c '{code}' <(cat {tmp_path}/a.flac)"
    run = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "20000" and run.stderr == ""


def test_a_file_that_changes_is_inspected_anew(tmp_path):
    for samples in (100, 200):
        soundfile.write(tmp_path / "a.wav", NOISE[:samples], 16000)
        assert io.probe(tmp_path / "a.wav").frames == samples


def test_long_files_need_little_memory(tmp_path):
    for kind in ("wav", "flac", "mp3"):
        soundfile.write(tmp_path / f"a.{kind}", np.tile(NOISE, (250, 1)), 48000)
    code = """
import resource, sys
from hsmtss_jax.audio import io
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
list(io.read_blocks(sys.argv[1], 100, stop=100)); before = peak()
print(sum(len(b) for p in sys.argv[1:] for b in io.read_blocks(p, 10000)), peak() - before)
"""
    files = [str(tmp_path / f"a.{kind}") for kind in ("wav", "flac", "mp3")]
    run = subprocess.run(
        [sys.executable, "-c", code, *files], capture_output=True, text=True, check=True
    )
    samples, grown = map(int, run.stdout.split())
    assert samples == 3 * 5_000_000 and grown < 20_000  # KiB; one file is 39,000
