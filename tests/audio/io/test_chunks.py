"""Chunks of WAV files: broadcast extension with its time reference, iXML, tags, markers, channel mask."""

import struct

import numpy as np
import pytest

from hsmtss_jax.audio import io
from hsmtss_jax.audio.io.chunks import Chunk, part_of, read_extras
from hsmtss_jax.audio.output import OutputOptions
from tests.audio.io.sounds import chunk, riff, tone

RATE, START = 48_000, 48_000 * 3600 * 10
XML = (
    b"<BWFXML><SPEED><TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>1</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>"
    b"<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>4294967290</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>"
    b"</SPEED></BWFXML>"
)
INFO = b"INFO" + chunk(b"INAM", b"a title\0") + chunk(b"IKEY", b"rain; dog\0")
CUE = struct.pack("<IIIIIII", 1, 1, 100, 0x61746164, 0, 0, 100)


def bext(reference: int = START, version: int = 2) -> bytes:
    body = bytearray(602)
    body[:5], body[256:260] = b"scene", b"Zoom"
    struct.pack_into("<QH", body, 338, reference, version)
    struct.pack_into("<5h", body, 412, -2300, 500, -100, -1800, -2000)
    return bytes(body) + b"A=PCM,F=48000\r\n"


def recording(x: np.ndarray, mask: int | None = None, *more: bytes) -> bytes:
    """Return a 24-bit WAV file with chunks before and behind its samples."""
    channels = x.shape[1]
    align = 3 * channels
    values = (channels, RATE, RATE * align, align, 24)
    fmt = struct.pack("<HHIIHH", 1 if mask is None else 0xFFFE, *values)
    if mask is not None:
        guid = struct.pack("<H", 1) + bytes.fromhex("000000001000800000aa00389b71")
        fmt += struct.pack("<HHI", 22, 24, mask) + guid
    whole = (x * 2**23).astype("<i4")
    data = np.frombuffer(whole.tobytes(), np.uint8).reshape(-1, 4)[:, :3].tobytes()
    chunks = [chunk(b"bext", bext()), chunk(b"fmt ", fmt), chunk(b"data", data), *more]
    return riff(*chunks)


def copied(path, target, start=0, options=None):
    """Write the samples of a file anew, with its metadata."""
    options, info = options or OutputOptions(), io.probe(path)
    encoding = io.choose(target, options, info)
    metadata = io.read_metadata(path, start, tags=options.tags)
    samples = io.read_audio(path).samples[start:]
    with io.open_writer(
        target, info.sample_rate, info.channels, encoding, metadata=metadata
    ) as writer:
        writer.write(samples)
    np.testing.assert_allclose(io.read_audio(target).samples, samples, atol=2**-23)
    return read_extras(target)


MORE = (chunk(b"iXML", XML), chunk(b"LIST", INFO), chunk(b"cue ", CUE), chunk(b"junk", b"x" * 9))


@pytest.mark.parametrize("suffix", [".wav", ".rf64"])
def test_everything_is_kept(tmp_path, suffix):
    (tmp_path / "in.wav").write_bytes(recording(tone(500, 2), None, *MORE))
    extras = copied(tmp_path / "in.wav", tmp_path / f"out{suffix}")
    kept = dict(extras.chunks)
    assert set(kept) == {b"bext", b"iXML", b"LIST", b"cue "}
    assert kept[b"iXML"] == XML and kept[b"LIST"] == INFO and kept[b"cue "] == CUE
    assert struct.unpack_from("<Q", kept[b"bext"], 338)[0] == START
    assert kept[b"bext"][:338] == bext()[:338] and kept[b"bext"].endswith(b"F=48000\r\n")
    assert struct.unpack_from("<5h", kept[b"bext"], 412) == (0x7FFF,) * 5  # the mixture's loudness
    content = (tmp_path / f"out{suffix}").read_bytes()
    assert content.index(b"bext") < content.index(b"data")
    if suffix == ".wav":
        assert struct.unpack_from("<I", content, 4)[0] == len(content) - 8
    assert io.read_metadata(tmp_path / f"out{suffix}").tags["title"] == "a title"


def test_the_time_reference_of_a_part_is_later(tmp_path):
    (tmp_path / "in.wav").write_bytes(recording(tone(500, 1), None, *MORE))
    kept = dict(copied(tmp_path / "in.wav", tmp_path / "out.wav", start=200).chunks)
    assert struct.unpack_from("<Q", kept[b"bext"], 338)[0] == START + 200
    assert b"cue " not in kept  # markers name samples of the whole
    assert b">2</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>" in kept[b"iXML"]
    assert b">194</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>" in kept[b"iXML"]


def test_nothing_is_kept_on_request(tmp_path):
    (tmp_path / "in.wav").write_bytes(recording(tone(500, 4), 0x33, *MORE))
    extras = copied(tmp_path / "in.wav", tmp_path / "out.wav", options=OutputOptions(tags=False))
    assert extras.chunks == () and extras.mask == 0x33


@pytest.mark.parametrize(
    ("channels", "mask"), [(6, 0x3F), (6, 0x60F), (4, 0x107), (2, 0x3), (3, 0)]
)
def test_channel_masks(tmp_path, channels, mask):
    (tmp_path / "in.wav").write_bytes(recording(tone(500, channels), mask))
    assert copied(tmp_path / "in.wav", tmp_path / "out.wav").mask == mask
    assert io.probe(tmp_path / "out.wav").subtype == "PCM_24"


def test_a_plain_file_stays_plain(tmp_path):
    (tmp_path / "in.wav").write_bytes(recording(tone(500, 2)))
    assert copied(tmp_path / "in.wav", tmp_path / "out.wav").mask is None


def test_a_mask_of_other_channels_is_not_kept(tmp_path):
    (tmp_path / "in.wav").write_bytes(recording(tone(500, 6), 0x3F))
    metadata = io.read_metadata(tmp_path / "in.wav")
    with io.open_writer(tmp_path / "out.wav", RATE, 1, metadata=metadata) as writer:
        writer.write(tone(500))
    assert read_extras(tmp_path / "out.wav").mask is None


def test_samples_of_a_recording_that_was_never_closed_are_no_chunks(tmp_path):
    """Nor are they walked through, eight bytes of silence at a time."""
    whole = recording(np.zeros((20_000, 2), np.float32), 0x3)
    at = whole.index(b"data") + 4
    (tmp_path / "x.wav").write_bytes(whole[:at] + bytes(4) + whole[at + 4 :])
    extras = read_extras(tmp_path / "x.wav")
    assert [each.name for each in extras.chunks] == [b"bext"] and extras.mask == 0x3


def test_short_and_foreign_chunks_do_no_harm(tmp_path):
    assert part_of([Chunk(b"bext", b"short")], 9) == [Chunk(b"bext", b"short")]
    assert part_of([Chunk(b"iXML", b"<x/>")], 9) == [Chunk(b"iXML", b"<x/>")]
    (tmp_path / "x").write_bytes(b"RIFF\0\0\0\0WAVEbext\xff\xff\xff\x7fabc")
    assert read_extras(tmp_path / "x").chunks == ()
    (tmp_path / "x").write_bytes(b"not a WAV file")
    assert read_extras(tmp_path / "x").chunks == ()
