"""How a file is written: as its name and the options say, else as the input."""

import numpy as np
import pytest
import soundfile

from hsmtss_jax.audio.io import (
    AudioError,
    AudioWarning,
    choose,
    clip_mode,
    default_format,
    plan_output,
    probe,
)
from hsmtss_jax.audio.output import OutputOptions

X = np.zeros((800, 2), np.float32)
DEFAULT = OutputOptions()
SUBTYPES = [
    *("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"),
]


@pytest.fixture
def source(tmp_path):
    def make(name, channels=2, **options):
        path = tmp_path / name
        soundfile.write(path, X[:, :1].repeat(channels, 1), 8000, **options)
        return path

    return make


@pytest.mark.parametrize("subtype", SUBTYPES)
def test_the_depth_is_the_input_s(source, subtype):
    info = probe(source("in.wav", subtype=subtype))
    assert choose("out.wav", DEFAULT, info).subtype == subtype


@pytest.mark.parametrize(
    ("subtype", "name", "expected"),
    [
        ("FLOAT", "out.flac", "24-bit FLAC"),
        ("PCM_24", "out.flac", "24-bit FLAC"),
        ("ULAW", "out.flac", "16-bit FLAC"),
        ("PCM_U8", "out.aiff", "8-bit AIFF"),
        ("PCM_24", "out.mp3", "MP3"),
    ],
)
def test_another_format_takes_the_nearest_depth(source, subtype, name, expected):
    info = probe(source("in.wav", subtype=subtype))
    assert str(choose(name, DEFAULT, info)) == expected


def test_options_win(source):
    info = probe(source("in.wav", subtype="PCM_24"))
    assert choose("o.wav", OutputOptions(bit_depth="float"), info).subtype == "FLOAT"
    assert choose("o", OutputOptions(format="flac"), info).form.title == "FLAC"
    assert str(choose("o.mp3", OutputOptions(bitrate=128))) == "MP3 at 128 kbit/s"


def test_a_codec_that_is_not_written_is_told(source):
    info = probe(source("in.wav", subtype="IMA_ADPCM"))
    with pytest.warns(AudioWarning, match="WAV with IMA_ADPCM is not written: it is 16-bit WAV"):
        assert choose("out.wav", DEFAULT, info).depth == "16"


def test_another_codec_in_the_same_container_is_told(source):
    info = probe(source("in.ogg", format="OGG", subtype="OPUS"))
    with pytest.warns(AudioWarning, match="OGG with OPUS is not written: it is Ogg Vorbis"):
        assert choose("out.ogg", DEFAULT, info).format == "ogg"
    assert choose("out.opus", DEFAULT, info).format == "opus"


def test_lossy_sound_gives_16_bits(source):
    info = probe(source("in.mp3"))
    assert choose("out.wav", DEFAULT, info).depth == "16"


def test_channels_are_checked_before(source):
    path = source("in.wav", channels=9)
    with pytest.raises(AudioError, match="FLAC holds 8 channels at most, not 9: write wav"):
        plan_output("out.flac", path, DEFAULT)
    assert plan_output("out.flac", path, DEFAULT, mono=True).format == "flac"


def test_an_input_that_cannot_be_read_is_passed_over(tmp_path):
    assert plan_output("out.flac", tmp_path / "none.wav", DEFAULT).depth == "16"


def test_clip_mode():
    whole, floats = choose("a.flac", DEFAULT), choose("a.wav", OutputOptions(bit_depth="float"))
    assert (clip_mode(whole, DEFAULT), clip_mode(floats, DEFAULT)) == ("rescale", "none")
    assert clip_mode(floats, OutputOptions(clip_mode="clamp")) == "clamp"
    with pytest.raises(AudioError, match="clip mode none needs floats"):
        clip_mode(whole, OutputOptions(clip_mode="none"))


@pytest.mark.parametrize("suffix", [".m4a", ".mp4"])
def test_without_ffmpeg_a_line_says_what_is_missing(no_ffmpeg, suffix):
    with pytest.raises(AudioError, match="takes the ffmpeg program on PATH"):
        choose(f"out{suffix}", DEFAULT)
    with pytest.warns(AudioWarning, match="takes the ffmpeg program.*: the results are wav"):
        assert default_format(suffix, DEFAULT) == "wav"


def test_films_give_sound_unless_asked():
    """Without -o a film's result is its sound."""
    assert default_format(".flac", DEFAULT) == "flac"
    assert default_format(".mkv", DEFAULT) == "flac" and default_format(".avi", DEFAULT) == "mp3"
    with pytest.raises(AudioError, match="name a --format for the bit rate"):
        default_format(".wav", OutputOptions(bitrate=128))
