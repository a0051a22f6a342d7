"""Comments and pictures of FLAC files."""

import struct

import numpy as np
import soundfile

from hsmtss_jax.audio import io
from hsmtss_jax.audio.io.comments import (
    FIRST,
    FlacTags,
    from_tags,
    read_flac_tags,
    replace_blocks,
)
from hsmtss_jax.audio.output import OutputOptions
from tests.audio.io.sounds import encoded, tone

PICTURE = struct.pack(">II9sI4sIIIII4s", 3, 9, b"image/png", 4, b"dogs", 1, 1, 24, 0, 4, b"\x89PNG")
TAGS = FlacTags(("TITLE=Ünï", "ALBUMARTIST=all", "ISRC=X", "TITLE=two"), (PICTURE,))


def tagged(content: bytes, tags: FlacTags) -> bytes:
    """Return a FLAC file with other tags."""
    end, new = replace_blocks(content, tags)
    return content[:FIRST] + new + content[end:]


def test_blocks_are_replaced(tmp_path):
    path = tmp_path / "a.flac"
    path.write_bytes(tagged(encoded("FLAC"), TAGS))
    assert read_flac_tags(path) == TAGS
    np.testing.assert_allclose(soundfile.read(path)[0], tone()[:, 0], atol=1e-4)


def test_everything_is_kept(tmp_path):
    source, target = tmp_path / "in.flac", tmp_path / "out.flac"
    content = encoded("FLAC", "PCM_24", tone(3000, 2))
    stale = FlacTags((*TAGS.comments, "REPLAYGAIN_TRACK_GAIN=-3 dB", "encoder=x"), TAGS.pictures)
    source.write_bytes(tagged(content, stale))
    encoding = io.choose(target, OutputOptions(), io.probe(source))
    with io.open_writer(
        target, 16000, 2, encoding, metadata=io.read_metadata(source), frames=3000
    ) as writer:
        writer.write(tone(3000, 2))
    assert read_flac_tags(target) == TAGS and io.probe(target).subtype == "PCM_24"
    np.testing.assert_allclose(io.read_audio(target).samples, tone(3000, 2), atol=1e-6)


def test_a_mask_is_one_of_its_channels():
    tags = FlacTags(("TITLE=a", "WAVEFORMATEXTENSIBLE_CHANNEL_MASK=0x33"))
    assert tags.for_channels(4, None) == tags
    assert tags.for_channels(1, None) == FlacTags(("TITLE=a",))
    assert tags.for_channels(4, 0x107).comments[1].endswith("=0x107")


def test_tags_of_other_formats():
    found = from_tags({"title": "a", "track": "3", "album_artist": "b"})
    assert found.comments == ("TITLE=a", "TRACKNUMBER=3", "ALBUMARTIST=b")


def test_blocks_that_are_too_large_are_left_out(tmp_path):
    path = tmp_path / "a.flac"
    huge = FlacTags((f"TITLE={'x' * (1 << 24)}",), (bytes(1 << 24),))
    path.write_bytes(tagged(encoded("FLAC"), huge))
    assert read_flac_tags(path) == FlacTags() and io.probe(path).frames == len(tone())


def test_damage_does_no_harm(tmp_path):
    path = tmp_path / "a.flac"
    content = tagged(encoded("FLAC"), TAGS)
    for size in (4, 20, FIRST, FIRST + 9, FIRST + 30):
        path.write_bytes(content[:size])
        assert read_flac_tags(path) is not None
    path.write_bytes(b"fLaC" + bytes(1 << 20))
    assert read_flac_tags(path) == FlacTags()
    path.write_bytes(b"OggS")
    assert read_flac_tags(path) is None
