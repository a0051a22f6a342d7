"""Writing: what is read back is what was written, and files are there only when complete."""

import errno
import os
import warnings

import numpy as np
import pytest

from hsmtss_jax.audio import io
from hsmtss_jax.audio.formats import FORMATS
from hsmtss_jax.audio.io import AudioError, AudioWarning, Metadata
from hsmtss_jax.audio.output import OutputOptions
from tests.audio.io.sounds import tone

NOISE = tone(20000, 2)
RNG = np.random.default_rng(0)
STEPS = {"8": 2**-7, "16": 2**-15, "24": 2**-23, "32": 2**-23, "float": 0, "double": 0}
TAGS = {"title": "Ünï 日本 🐕", "artist": "A; b=c\\d", "album": "X", "date": "2024", "track": "3"}


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


EXACT = [
    (name, depth)
    for name, form in FORMATS.items()
    for depth in form.depths
    if form.sndfile and depth in STEPS
]


@pytest.mark.parametrize(("name", "depth"), EXACT)
def test_formats_and_depths(tmp_path, name, depth):
    path = tmp_path / f"a{FORMATS[name].suffixes[-1]}"
    options = OutputOptions(bit_depth=depth)
    with io.open_writer(path, 16000, 2, options=options, metadata=Metadata(tags=TAGS)) as writer:
        for start in range(0, len(NOISE), 7000):
            writer.write(NOISE[start : start + 7000])
    np.testing.assert_allclose(io.read_audio(path).samples, NOISE, rtol=0, atol=STEPS[depth])
    found = io.read_metadata(path).tags
    kept = {} if name in ("au", "w64") else {"title": TAGS["title"], "artist": TAGS["artist"]}
    assert found.items() >= kept.items()
    assert io.choose(path, OutputOptions(), io.probe(path)).depth == depth


@pytest.mark.parametrize("name", ["ogg", "opus", "mp3"])
@pytest.mark.parametrize("rate", [16000, 48000])
def test_lossy(tmp_path, name, rate):
    path, x = tmp_path / f"a.{name}", tone(2 * rate, 2, rate)
    encoding = io.check_output(path, sample_rate=rate, channels=2)
    with io.open_writer(path, rate, 2, encoding, metadata=Metadata(tags=TAGS)) as writer:
        for start in range(0, len(x), 7000):
            writer.write(x[start : start + 7000])
    got = io.read_audio(path)
    assert got.sample_rate == rate and got.samples.shape == x.shape
    if not encoding.encoder:  # libsndfile: aligned
        middle = slice(rate // 2, rate)
        error = got.samples[middle] - x[middle]
        assert 10 * np.log10((x[middle] ** 2).mean() / (error**2).mean()) > 8
    assert io.read_metadata(path).tags == TAGS


@pytest.mark.parametrize("name", ["ogg", "opus", "mp3"])
def test_a_bit_rate(tmp_path, name):
    sizes = []
    x = tone(3 * 48000, 2, 48000) + RNG.normal(0, 0.1, (3 * 48000, 2)).astype(np.float32)
    for kbps in (64, 128, 256):
        path = tmp_path / f"a.{name}"
        io.write_audio(path, x, 48000, OutputOptions(bitrate=kbps, clip_mode="clamp"))
        sizes.append(path.stat().st_size * 8 / 3000 / kbps)
    assert all(0.7 < size < 1.5 for size in sizes)


@pytest.mark.parametrize(
    ("name", "rate", "written"),
    [("opus", 44100, 48000), ("opus", 11025, 12000), ("mp3", 7350, 8000)],
)
def test_a_rate_that_the_format_lacks(tmp_path, name, rate, written):
    """The next higher one; the duration stays."""
    path, x = tmp_path / f"a.{name}", tone(rate, 1, rate)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        io.write_audio(path, x, rate)
    info = io.probe(path)
    assert info.sample_rate == written and info.frames == written
    middle = slice(written // 2, written * 3 // 4)
    y = io.resample(x, rate, written)[middle]
    error = io.read_audio(path).samples[middle] - y
    assert 10 * np.log10((y**2).mean() / (error**2).mean()) > 8


def test_a_lower_rate_is_told(tmp_path):
    with pytest.warns(AudioWarning, match="MP3 has no 96000 Hz: it is written at 48000 Hz"):
        io.write_audio(tmp_path / "a.mp3", tone(9600, 1, 96000), 96000)
    assert io.probe(tmp_path / "a.mp3").frames == 4800


def test_floats_keep_what_is_beyond_one_and_whole_numbers_are_scaled(tmp_path):
    x = np.array([0.0, 1.5, -2.0, 0.3], np.float32)
    io.write_audio(tmp_path / "f.wav", x, 16000, OutputOptions(bit_depth="float"))
    np.testing.assert_array_equal(io.read_audio(tmp_path / "f.wav").samples[:, 0], x)
    with pytest.warns(AudioWarning, match=r"samples reach 2: turned down by 6.0 dB"):
        io.write_audio(tmp_path / "p.wav", x, 16000)
    np.testing.assert_allclose(io.read_audio(tmp_path / "p.wav").samples[:, 0], x / 2, atol=1e-4)
    with pytest.warns(AudioWarning, match=r"samples reach 2: they are cut off at 1"):
        io.write_audio(tmp_path / "p.wav", x, 16000, OutputOptions(clip_mode="clamp"))
    clipped = io.read_audio(tmp_path / "p.wav").samples[:, 0]
    np.testing.assert_allclose(clipped, x.clip(-1, 1), atol=1e-4)


@pytest.mark.parametrize(
    ("name", "depth", "reason"),
    [
        ("a.xyz", None, "no format that is written"),
        ("a", None, "without a suffix"),
        ("none/a.wav", None, "does not exist"),
        ("folder.wav", None, "not a file"),
        ("a.flac", "float", "FLAC has 8, 16, 24"),
        ("a.mp3", "16", "MP3 has no bit depth"),
    ],
)
def test_unwritable(tmp_path, name, depth, reason):
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(AudioError, match=reason):
        io.write_audio(tmp_path / name, np.zeros(10), 16000, OutputOptions(bit_depth=depth))
    assert os.listdir(tmp_path) == ["folder.wav"]


@pytest.mark.parametrize(("name", "channels", "most"), [("a.flac", 12, 8), ("a.mp3", 6, 2)])
def test_too_many_channels(tmp_path, name, channels, most):
    with pytest.raises(AudioError, match=f"holds {most} channels at most, not {channels}"):
        io.write_audio(tmp_path / name, np.zeros((10, channels)), 16000)
    io.write_audio(tmp_path / "a.wav", np.zeros((10, channels)), 16000)


def test_bad_shape_and_rate(tmp_path):
    with pytest.raises(AudioError, match=r"\[L\] or \[L, C\]"):
        io.write_audio(tmp_path / "a.wav", np.zeros((1, 2, 3)), 16000)
    with pytest.raises(AudioError, match="cannot be written"):
        io.write_audio(tmp_path / "a.wav", np.zeros(10), -5)
    with pytest.raises(AudioError, match="NaN"):
        io.write_audio(tmp_path / "a.wav", np.full(10, np.nan), 16000)
    assert os.listdir(tmp_path) == []


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.wav"
    io.write_audio(path, NOISE, 16000)
    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt), io.open_writer(path, 16000, 2) as writer:
        writer.write(NOISE[:100])
        raise KeyboardInterrupt
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["a.wav"]


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
def test_a_file_limit_is_one_line(tmp_path, name):
    """The system refuses to write on: its own words, the name that was asked for, nothing left."""
    resource = pytest.importorskip("resource")
    x = RNG.uniform(-1, 1, (200_000, 1)).astype(np.float32)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(AudioError) as raised:
            io.write_audio(tmp_path / name, x, 16000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    reason = os.strerror(errno.EFBIG)
    assert str(raised.value) == f"{tmp_path / name}: cannot be written ({reason})"
    assert os.listdir(tmp_path) == []


def test_blocks_can_be_written_through_a_link(tmp_path):
    (tmp_path / "real.flac").touch()
    (tmp_path / "link.flac").symlink_to(tmp_path / "real.flac")
    options = OutputOptions(bit_depth="24")
    with io.open_writer(tmp_path / "link.flac", 16000, 2, options=options) as writer:
        for start in range(0, len(NOISE), 7000):
            writer.write(NOISE[start : start + 7000])
    assert (tmp_path / "link.flac").is_symlink()
    np.testing.assert_allclose(io.read_audio(tmp_path / "real.flac").samples, NOISE, atol=1e-6)


def test_a_large_wav_file_is_rf64(tmp_path):
    path = tmp_path / "a.wav"
    with io.open_writer(path, 16000, 2, frames=2**30) as writer:
        writer.write(NOISE)
    assert io.probe(path).format == "RF64" and io.probe(path).frames == len(NOISE)
