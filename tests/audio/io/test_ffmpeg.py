"""Formats that libsndfile lacks, decoded by the ffmpeg program."""

import numpy as np
import pytest

from hsmtss_jax.audio.io import AudioError
from tests.audio.io.sounds import RATE, tone

X = tone()
LOSSY = {
    "a.m4a": ["-c:a", "aac"],
    "a.aac": ["-c:a", "aac"],
    "a.mp4": ["-c:a", "aac"],
    "a.mkv": ["-c:a", "aac"],
    "a.mov": ["-c:a", "aac"],
    "a.ts": ["-c:a", "aac"],
    "a.webm": ["-c:a", "libopus"],
    "b.mkv": ["-c:a", "libvorbis"],
    "a.wma": ["-c:a", "wmav2"],
    "a.ac3": ["-c:a", "ac3", "-ar", "48000"],
    "a.amr": ["-c:a", "libopencore_amrnb", "-ar", "8000"],
    "a.spx": ["-c:a", "libspeex"],
}
LOSSLESS = {
    "alac.m4a": ["-c:a", "alac"],
    "pcm.mov": ["-c:a", "pcm_s16le"],
    "flac.mka": ["-c:a", "flac"],
    "a.tta": [],
    "a.wv": [],
}


@pytest.mark.parametrize("name", LOSSY)
def test_lossy(read, ffmpeg, name):
    got = read(ffmpeg(*LOSSY[name], name=name), name)
    assert got.notes == [] and got.info.channels == 1
    assert 1.4 < got.info.seconds < 1.7 and np.abs(got.samples).max() > 0.2


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless(read, ffmpeg, name):
    got = read(ffmpeg(*LOSSLESS[name], name=name), name)
    np.testing.assert_allclose(got.samples, X, atol=1e-4)
    assert got.notes == [] and got.info.sample_rate == RATE


def test_channels_and_films(read, ffmpeg):
    x = tone(24000, 6)
    np.testing.assert_allclose(
        read(ffmpeg("-c:a", "flac", name="a.mka", x=x)).samples, x, atol=1e-4
    )
    picture = ("-f", "lavfi", "-i", "testsrc=d=1.5", "-map", "1:v", "-c:v", "mpeg4")
    film = ffmpeg(*picture, "-map", "0:a", "-c:a", "pcm_s16le", name="film.mov")
    np.testing.assert_allclose(read(film).samples, X, atol=1e-4)
    with pytest.raises(AudioError, match="holds no sound"):
        read(ffmpeg(*picture, name="silent.mp4"))


@pytest.mark.parametrize("name", ["mp3.mp4", "mp3.mkv", "mp3.avi"])
def test_mp3_in_a_container(read, ffmpeg, name):
    """Its frames are not read as those of an MP3 file, between which bytes would be damage."""
    got = read(ffmpeg("-c:a", "libmp3lame", name=name), name)
    assert got.notes == [] and got.info.format != "MP3" and got.info.seconds >= 1.5


def test_a_second_stream_is_told(read, ffmpeg):
    got = read(ffmpeg("-map", "0:a", "-map", "0:a", "-c:a", "flac", name="a.mka"))
    assert got.notes == ["2 streams of sound beside each other: the first is read"]


def test_cut_short(read, ffmpeg):
    content = ffmpeg("-c:a", "aac", "-movflags", "+faststart", name="a.m4a")
    got = read(content[: len(content) * 2 // 3])
    assert 0.4 < got.info.seconds < 1.2
    assert "cut short or damaged: about" in got.notes[0] and "of 1.5 s" in got.notes[0]
    with pytest.raises(AudioError, match="moov atom not found"):
        content = ffmpeg("-c:a", "aac", name="b.m4a")
        read(content[: len(content) * 2 // 3])


@pytest.mark.parametrize("name", ["-odd.m4a", "a:b.m4a", "a b'\"$x.m4a", "http:/x.m4a"])
def test_names(tmp_path, read, ffmpeg, name):
    content = ffmpeg("-c:a", "aac", name="a.m4a")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    assert 1.4 < read(content, name).info.seconds < 1.7


@pytest.mark.parametrize(
    "content",
    ["ffconcat version 1.0\nfile 'x.wav'\n", "#EXTM3U\n#EXTINF:1,a\nhttp://127.0.0.1:9/x\n"],
)
def test_playlists_open_nothing_else(read, ffmpeg, content):
    ffmpeg("-c:a", "pcm_s16le", name="x.wav")
    with pytest.raises(AudioError, match="not an audio file"):
        read(content.encode(), "a.mp3")
