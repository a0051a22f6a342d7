"""Formats that libsndfile lacks, encoded by the ffmpeg program; films keep their pictures."""

import os
import subprocess

import numpy as np
import pytest

from hsmtss_jax.audio import io
from hsmtss_jax.audio.formats import FORMATS
from hsmtss_jax.audio.io import AudioError, Encoding
from hsmtss_jax.audio.io.ffmpeg_write import has_encoder, has_pictures
from hsmtss_jax.audio.output import OutputOptions
from tests.audio.io.sounds import tone

RATE = 48_000
X = tone(RATE, 2, RATE)
FOREIGN = [name for name, form in FORMATS.items() if not form.sndfile and not form.video]
FILMS = {
    "mp4": ["-c:v", "mpeg4"],
    "mov": ["-c:v", "mpeg4"],
    "mkv": ["-c:v", "mpeg4"],
    "avi": ["-c:v", "mpeg4"],
    "webm": ["-c:v", "libvpx", "-b:v", "50k"],
}


def write(path, x=X, rate=RATE, options=None, encoding=None):
    with io.open_writer(path, rate, x.shape[1], encoding, options=options) as writer:
        for start in range(0, len(x), 7000):
            writer.write(x[start : start + 7000])
    return path


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
@pytest.mark.parametrize("name", FOREIGN)
def test_formats(tmp_path, ffmpeg, name, rate):
    x = tone(rate, 2, rate)
    got = io.read_audio(write(tmp_path / f"a.{name}", x, rate))
    seconds = len(got.samples) / got.sample_rate
    assert 1 <= seconds < 1.3 and got.samples.shape[1] == 2
    assert 0.8 < got.samples.std() / x.std() < 1.1
    if FORMATS[name].exact or name == "mka":
        np.testing.assert_allclose(got.samples, x, atol=2**-23)
    assert os.listdir(tmp_path) == [f"a.{name}"]


def test_a_lossless_source_stays_lossless(tmp_path, ffmpeg):
    ffmpeg("-c:a", "alac", name="in.m4a", x=X, rate=RATE)
    encoding = io.choose(tmp_path / "out.m4a", OutputOptions(), io.probe(tmp_path / "in.m4a"))
    assert encoding.encoder == "alac"
    with io.open_writer(tmp_path / "out.m4a", RATE, 2, encoding) as writer:
        writer.write(X)
    np.testing.assert_allclose(io.read_audio(tmp_path / "out.m4a").samples, X, atol=2**-15)


def test_a_bit_rate(tmp_path, ffmpeg):
    sizes = [
        write(tmp_path / f"{kbps}.m4a", options=OutputOptions(bitrate=kbps)).stat().st_size
        for kbps in (64, 256)
    ]
    assert sizes[1] > 2 * sizes[0]


def test_a_failure_is_one_line(tmp_path, ffmpeg):
    with pytest.raises(AudioError, match=r"a.m4a: cannot be written \(ffmpeg: "):
        write(tmp_path / "a.m4a", encoding=Encoding("m4a", encoder="nothing"))
    with pytest.raises(KeyError), io.open_writer(tmp_path / "a.m4a", RATE, 2) as writer:
        writer.write(X)
        raise KeyError
    assert not list(tmp_path.glob("*.m4a")) and not list(tmp_path.glob(".*"))


def streams(path) -> str:
    """Return a sum of each packet of the pictures: they are copied, not made anew."""
    command = ["ffmpeg", "-v", "error", "-i", path, "-map", "0:v", "-c", "copy", "-f", "streamhash"]
    return subprocess.run([*command, "-"], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def film(ffmpeg, tmp_path):
    """A second of pictures, the sound beginning ``delay`` seconds later."""

    def make(suffix, delay=0.0):
        if suffix == "webm" and not has_encoder("libopus"):
            pytest.skip("ffmpeg without libopus")
        inputs = ["-f", "lavfi", "-i", "testsrc=d=1.5:s=64x48:r=10"]
        inputs += ["-itsoffset", str(delay), "-i", str(tmp_path / "source.wav")]
        options = [
            *inputs,
            "-map",
            "1:v",
            "-map",
            "2:a",
            "-metadata",
            "title=A film",
            *FILMS[suffix],
        ]
        ffmpeg(*options, name=f"film.{suffix}", x=X, rate=RATE)
        return tmp_path / f"film.{suffix}"

    return make


def separated(source, target):
    """Write the sound of a film, turned over, with its pictures."""
    sound = io.read_audio(source)
    encoding = io.plan_output(target, source, OutputOptions())
    channels = sound.samples.shape[1]
    metadata = io.read_metadata(source)
    with io.open_writer(target, sound.sample_rate, channels, encoding, metadata=metadata) as writer:
        writer.write(-sound.samples)
    return io.read_audio(target), sound


@pytest.mark.parametrize("suffix", FILMS)
def test_films_keep_their_pictures(tmp_path, film, suffix):
    source = film(suffix)
    new, old = separated(source, tmp_path / f"out.{suffix}")
    assert has_pictures(tmp_path / f"out.{suffix}")
    assert streams(tmp_path / f"out.{suffix}") == streams(source)
    middle = slice(RATE // 4, RATE // 2)
    correlation = np.corrcoef(new.samples[middle, 0], -old.samples[middle, 0])[0, 1]
    assert correlation > 0.98 or suffix == "avi"  # whose MP3 begins some samples late
    assert io.read_metadata(tmp_path / f"out.{suffix}").tags.get("title") == "A film"


def test_another_container(tmp_path, film):
    source = film("mkv")
    separated(source, tmp_path / "out.mp4")
    assert streams(tmp_path / "out.mp4") == streams(source)


def test_sound_that_begins_late_stays_late(tmp_path, film):
    source = film("mkv", delay=0.3)
    separated(source, tmp_path / "out.mkv")
    command = ["ffmpeg", "-i", tmp_path / "out.mkv", "-map", "0:a", "-f", "framecrc", "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    first = next(line for line in text.splitlines() if line.startswith("0,"))
    assert int(first.split(",")[2]) / RATE == pytest.approx(0.3, abs=0.03)


def test_a_recording_without_pictures_gives_no_film(tmp_path, ffmpeg):
    ffmpeg("-c:a", "aac", name="in.m4a")
    with pytest.raises(AudioError, match=r"in.m4a has no pictures: name a result like sound.m4a"):
        io.plan_output(tmp_path / "out.mp4", tmp_path / "in.m4a", OutputOptions())


def test_pictures_that_a_container_does_not_take_are_refused_before(tmp_path, film):
    with pytest.raises(AudioError, match=r"WebM does not take the pictures of .*film\.mkv"):
        io.plan_output(tmp_path / "out.webm", film("mkv"), OutputOptions())


def test_a_part_gives_no_film(tmp_path, film):
    with pytest.raises(AudioError, match="a film is written whole"):
        io.plan_output(tmp_path / "out.mp4", film("mp4"), OutputOptions(), length=99)
