"""What a recording says of itself, from any format into any."""

import pytest

from hsmtss_jax.audio import io
from hsmtss_jax.audio.io import Metadata
from hsmtss_jax.audio.output import OutputOptions
from tests.audio.io.sounds import encoded, tone

X = tone(4800, 2)
TAGS = {"title": "Ünï 日本 🐕", "artist": "A; b=c\\d", "album": "X", "date": "2024", "track": "3"}
BY_LIBSNDFILE = ("wav", "flac", "ogg", "opus", "mp3", "caf")
BY_FFMPEG = ("m4a", "wma", "wv", "mka")


def write(path, tags=TAGS):
    encoding = io.check_output(path, OutputOptions(), 48000, 2)
    with io.open_writer(path, 48000, 2, encoding, metadata=Metadata(tags=tags)) as writer:
        writer.write(X)
    return path


@pytest.mark.parametrize("name", BY_LIBSNDFILE)
def test_tags_come_back(tmp_path, name):
    assert io.read_metadata(write(tmp_path / f"a.{name}")).tags == TAGS


@pytest.mark.parametrize("name", BY_FFMPEG)
def test_tags_come_back_through_ffmpeg(tmp_path, ffmpeg, name):
    assert io.read_metadata(write(tmp_path / f"a.{name}")).tags == TAGS


@pytest.mark.parametrize("target", ["flac", "mp3", "ogg", "wav"])
@pytest.mark.parametrize("source", ["flac", "mp3", "ogg", "wav"])
def test_tags_go_from_format_to_format(tmp_path, source, target):
    metadata = io.read_metadata(write(tmp_path / f"a.{source}"))
    with io.open_writer(tmp_path / f"b.{target}", 48000, 2, metadata=metadata) as writer:
        writer.write(X)
    assert io.read_metadata(tmp_path / f"b.{target}").tags == TAGS
    assert io.probe(tmp_path / f"b.{target}").frames == len(X)


def test_an_id3_tag_is_kept_whole(tmp_path):
    """Frames that libsndfile does not know among them."""
    frame = b"TPE2" + (8).to_bytes(4, "big") + b"\0\0" + b"\3a band\0"
    tag = b"ID3\4\0\0" + bytes([0, 0, 0, len(frame)]) + frame
    source, target = tmp_path / "a.mp3", tmp_path / "b.mp3"
    source.write_bytes(tag + encoded("MP3", x=X, rate=48000))
    metadata = io.read_metadata(source)
    assert metadata.id3 == tag
    with io.open_writer(target, 48000, 2, metadata=metadata) as writer:
        writer.write(X)
    assert target.read_bytes().startswith(tag) and io.probe(target).frames == len(X)


def test_nothing_but_the_mask_on_request(tmp_path):
    metadata = io.read_metadata(write(tmp_path / "a.flac"), tags=False)
    assert metadata.tags == {} and metadata.flac is None and metadata.source


def test_what_cannot_be_read_says_nothing(tmp_path, no_ffmpeg):
    assert io.read_metadata(tmp_path / "none.wav") == Metadata()
    (tmp_path / "text.mp3").write_text("no sound at all")
    assert io.read_metadata(tmp_path / "text.mp3").tags == {}
