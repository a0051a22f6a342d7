"""WAV and its relatives: sizes in headers are estimates."""

import struct

import numpy as np
import pytest
import soundfile

from hsmtss_jax.audio.io import AudioError
from tests.audio.io.sounds import RATE, chunk, encoded, patched, riff, tone, wav_with_sizes

WAV = encoded("WAV", "PCM_16")
FMT, DATA = WAV[20:36], WAV[44:]
SIZE = len(DATA)
X = tone()


@pytest.mark.parametrize(
    ("riff_size", "data_size"),
    [
        (SIZE + 36, SIZE),
        (0, 0),
        (36, 0),
        (0, SIZE),
        (0xFFFFFFFF, 0xFFFFFFFF),
        (0xFFFFFFFF, 0xFFFFFFFF - 44),
        (0x7FFFF024, 0x7FFFF000),
        (0x7FFFFFFF, 0x7FFFFFFF - 36),
        (SIZE + 36, SIZE - 1),
    ],
)
def test_headers_written_before_the_end_was_known(read, riff_size, data_size):
    got = read(wav_with_sizes(WAV, riff_size, data_size))
    np.testing.assert_allclose(got.samples, X, atol=1e-4)
    assert got.notes == [] and got.info.format == "WAV" and got.info.subtype == "PCM_16"


@pytest.mark.parametrize("stated", [1000, SIZE - 200])
def test_a_header_that_counts_too_few(read, stated):
    got = read(wav_with_sizes(WAV, stated + 36, stated))
    np.testing.assert_allclose(got.samples, X, atol=1e-4)
    (note,) = got.notes
    assert note == f"the header counts {stated // 2} samples, the file holds 24000: all are read"


@pytest.mark.parametrize("more", [2, 1000, 10**9])
def test_a_header_that_counts_too_many(read, more):
    got = read(wav_with_sizes(WAV, SIZE + 36 + more, SIZE + more))
    np.testing.assert_allclose(got.samples, X, atol=1e-4)
    assert got.notes == [f"cut short: {more // 2} of {24000 + more // 2} samples are missing"]


def test_cut_within_a_sample(read):
    got = read(WAV[:20001])
    np.testing.assert_allclose(got.samples, X[: (20001 - 44) // 2], atol=1e-4)
    assert "14022 of 24000 samples are missing" in got.notes[0]


@pytest.mark.parametrize(
    "subtype",
    ["PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW", "MS_ADPCM", "GSM610"],
)
def test_codecs(read, subtype):
    content = encoded("WAV", subtype)
    got = read(content)
    at = content.index(b"data")
    open_end = read(content[:4] + bytes(4) + content[8 : at + 4] + bytes(4) + content[at + 8 :])
    assert got.info.subtype == open_end.info.subtype == subtype
    assert got.notes == open_end.notes == []
    assert len(got.samples) == len(open_end.samples) == 24000
    np.testing.assert_array_equal(got.samples, open_end.samples)
    cut = read(content[: len(content) * 2 // 3 + 1])
    assert 0.5 < len(cut.samples) / 24000 < 0.68 and "cut short" in cut.notes[0]
    np.testing.assert_allclose(cut.samples, got.samples[: len(cut.samples)], atol=1e-6)


@pytest.mark.parametrize(
    "content",
    [
        riff(chunk(b"JUNK", bytes(28)), chunk(b"fmt ", FMT), chunk(b"data", DATA)),
        riff(chunk(b"LIST", b"INFOa=b"), chunk(b"fmt ", FMT), chunk(b"data", DATA)),
        riff(chunk(b"LIST", b"INFOa=b", pad=False), chunk(b"fmt ", FMT), chunk(b"data", DATA)),
        riff(chunk(b"fmt ", FMT + b"\0\0"), chunk(b"bext", b"x" * 603), chunk(b"data", DATA)),
        riff(chunk(b"fmt ", FMT), chunk(b"bext", b"x" * 603, pad=False), chunk(b"data", DATA)),
        riff(chunk(b"fmt ", FMT), chunk(b"data", DATA), chunk(b"LIST", b"INFOISFT\4\0\0\0abcd")),
        riff(chunk(b"data", DATA), chunk(b"fmt ", FMT)),
        WAV + b"TAG" + b"x" * 125,
        WAV + chunk(b"id3 ", b"ID3\3\0\0\0\0\0\x0a" + bytes(10)),
        b"ID3\3\0\0\0\0\1\0" + bytes(128) + WAV,
        riff(chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, RATE, 7, 0, 16)), chunk(b"data", DATA)),
    ],
)
def test_chunks_and_tags_around_the_samples(read, content):
    got = read(content)
    np.testing.assert_allclose(got.samples, X, atol=1e-4)
    assert got.notes == []


@pytest.mark.parametrize(("mask", "valid"), [(0, 16), (0xFFFFFFFF, 16), (7, 16), (4, 12)])
def test_extensible_with_odd_masks(read, mask, valid):
    x = tone(channels=2)
    guid = struct.pack("<H", 1) + bytes.fromhex("000000001000800000aa00389b71")
    fmt = struct.pack("<HHIIHHHHI", 0xFFFE, 2, RATE, 4 * RATE, 4, 16, 22, valid, mask) + guid
    got = read(riff(chunk(b"fmt ", fmt), chunk(b"data", (x * 32767).astype("<i2").tobytes())))
    np.testing.assert_allclose(got.samples, x, atol=1e-4)


@pytest.mark.parametrize("channels", [1, 2, 64])
@pytest.mark.parametrize("samples", [1, 2, 999])
@pytest.mark.parametrize("rate", [8000, 384000])
def test_shapes_and_rates(read, channels, samples, rate):
    x = tone(samples, channels)
    got = read(encoded("WAV", "DOUBLE", x, rate))
    np.testing.assert_allclose(got.samples, x, atol=1e-7)
    assert got.info.sample_rate == rate


def test_big_endian(read):
    content = encoded("WAV", "PCM_16", endian="BIG")
    assert content[:4] == b"RIFX"
    at = content.index(b"data")
    for variant in (
        content,
        content[:4] + bytes(4) + content[8 : at + 4] + bytes(4) + content[at + 8 :],
    ):
        got = read(variant)
        np.testing.assert_allclose(got.samples, X, atol=1e-4)
        assert got.notes == []
    assert "cut short" in read(content[:30000]).notes[0]


@pytest.mark.parametrize("sizes", [bytes(24), b"\xff" * 24, None])
@pytest.mark.parametrize("magic", [b"RF64", b"BW64"])
def test_rf64(read, sizes, magic):
    content = patched(encoded("RF64", "PCM_16"), 0, magic)
    got = read(content if sizes is None else patched(content, 20, sizes))
    np.testing.assert_allclose(got.samples, X, atol=1e-4)
    assert got.notes == [] and got.info.format == "RF64"


@pytest.mark.parametrize("size", [0, 24, 2**63 - 1, None])
def test_wave64(read, size):
    content = encoded("W64", "PCM_16")
    if size is not None:
        at = content.index(b"data") + 16
        content = patched(
            patched(content, 16, struct.pack("<Q", size)), at, struct.pack("<Q", size)
        )
    got = read(content)
    np.testing.assert_allclose(got.samples, X, atol=1e-4)
    assert got.notes == [] and got.info.format == "W64"
    assert "cut short" in read(encoded("W64", "PCM_16")[:30000]).notes[0]


def test_joined_files(read):
    got = read(WAV + WAV)
    np.testing.assert_allclose(got.samples, np.concatenate([X, X]), atol=1e-4)
    other = read(WAV + encoded("WAV", "PCM_16", tone(8000, 2), RATE // 2))
    assert other.samples.shape == (40000, 1) and "differ in rate or channels" in other.notes[0]


def test_no_samples(read):
    for content in (
        encoded("WAV", "PCM_16", X[:0]),
        riff(chunk(b"fmt ", FMT), chunk(b"data", b""), chunk(b"LIST", b"INFOISFT\4\0\0\0abcd")),
    ):
        with pytest.raises(AudioError, match="holds no samples"):
            read(content)


def test_mpeg_in_wav(read):
    mp3 = encoded("MP3", None, tone(44100, 2), 44100)
    fmt = struct.pack("<HHIIHH", 0x55, 2, 44100, 16000, 1, 0) + struct.pack(
        "<HHIHHH", 12, 1, 2, 417, 1, 0
    )
    got = read(riff(chunk(b"fmt ", fmt), chunk(b"data", mp3)))
    assert got.info.format == "WAV" and got.info.subtype == "MPEG_LAYER_III"
    np.testing.assert_array_equal(got.samples, read(mp3).samples)


def test_a_codec_that_libsndfile_lacks(read, no_ffmpeg):
    fmt = struct.pack("<HHIIHH", 0xFF, 1, RATE, 8000, 1, 16)
    with pytest.raises(AudioError, match="ffmpeg program"):
        read(riff(chunk(b"fmt ", fmt), chunk(b"data", bytes(999))))


@pytest.mark.parametrize("samples", [1, 999])
def test_the_pad_byte_of_an_odd_size_is_no_sample(read, tmp_path, samples):
    path = tmp_path / "odd.wav"
    soundfile.write(path, X[:samples], RATE, subtype="ALAW")
    got = read(path.read_bytes())
    assert len(got.samples) == samples and got.notes == []
