"""The token file: exact, short, and closed to whatever is not one."""

import dataclasses
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsmtss_jax.codec import range_coder, token_file
from hsmtss_jax.codec.token_file import TokenFileError, Tokens, pack, unpack

DIGEST = "0123456789abcdef" * 2
HEADER = 52  # bytes


def tokens(values: np.ndarray, codes: int) -> Tokens:
    return Tokens(np.asarray(values, np.int32), codes, 320 * len(values), 16000, DIGEST)


def sticky(frames: int, groups: int, codes: int, seed: int = 0) -> np.ndarray:
    """Tokens that stay for a while, and come from a few codes more than from the others."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, codes, (frames, groups)) * rng.integers(0, 2, (frames, groups))
    for n in range(1, frames):
        drawn[n] = np.where(rng.random(groups) < 0.6, drawn[n - 1], drawn[n])
    return drawn


@st.composite
def any_tokens(draw) -> Tokens:
    codes = draw(st.sampled_from([1, 2, 3, 5, 16, 1000, 5000]))
    groups, frames = draw(st.integers(1, 3)), draw(st.integers(1, 12))
    row = st.lists(st.integers(0, codes - 1), min_size=groups, max_size=groups)
    return tokens(np.array(draw(st.lists(row, min_size=frames, max_size=frames))), codes)


@given(any_tokens())
@settings(max_examples=60, deadline=None)
def test_what_is_packed_is_unpacked(sound):
    data = pack(sound)
    got = unpack(data)
    np.testing.assert_array_equal(got.values, sound.values)
    assert dataclasses.replace(got, values=sound.values) == sound
    assert got.values.dtype == np.int32
    bits = (sound.codes - 1).bit_length() * sound.values.size
    assert len(data) <= HEADER + -(-bits // 8) + 4  # never longer than packed


def test_tokens_are_equal_by_value_and_not_hashable():
    sound = tokens(sticky(20, 2, 30), 30)
    assert sound == dataclasses.replace(sound, values=sound.values.copy())
    assert sound != dataclasses.replace(sound, values=sound.values + 1)
    assert sound != dataclasses.replace(sound, values=sound.values[:-1])
    assert sound != dataclasses.replace(sound, samples=1)
    assert sound != "sound"
    with pytest.raises(TypeError, match="unhashable"):
        hash(sound)


def test_a_constant_takes_no_payload_and_noise_is_packed():
    constant = token_file.inspect(pack(tokens(np.full((9, 2), 0), 1)))
    assert (constant.payload, constant.coding) == (0, "packed")
    noise = np.random.default_rng(0).integers(0, 1024, (60, 16))
    info = token_file.inspect(pack(tokens(noise, 1024)))
    assert (info.coding, info.payload, info.bytes) == ("packed", 1200, HEADER + 1200 + 4)
    assert token_file.inspect(pack(tokens(sticky(200, 4, 32), 32))).coding == "range coded"


def test_the_bytes_are_the_format():
    """A change here is a new version: files that exist are read with the version they have."""
    values = (np.arange(120)[:, None] // 7) ** 2 * np.arange(1, 4) % 50
    payload = range_coder.encode(values, 50)
    assert (len(payload), zlib.crc32(payload)) == (117, 373888819)
    data = pack(tokens(values, 50))
    assert data[:16] == b"\x89TFC\r\n\x1a\n" + bytes([1, 1, 3, 0, 50, 0, 0, 0])
    assert data[16:32] == struct.pack("<IQI", 16000, 120 * 320, 120)
    assert data[32:48].hex() == DIGEST and data[52:-4] == payload


@pytest.fixture(scope="module", params=["packed", "range coded"])
def file(request) -> bytes:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 30, (10, 2)) if request.param == "packed" else sticky(60, 2, 30)
    data = pack(tokens(values, 30))
    assert token_file.inspect(data).coding == request.param
    return data


def test_every_flipped_byte_and_every_truncation_is_refused(file):
    for at in range(len(file)):
        for flip in (1, 0x80, 0xFF):
            damaged = bytearray(file)
            damaged[at] ^= flip
            with pytest.raises(TokenFileError):
                unpack(bytes(damaged))
        with pytest.raises(TokenFileError, match=r"^(truncated|not a token file)"):
            unpack(file[:at])
    with pytest.raises(TokenFileError, match="damaged"):
        unpack(file + b"\0")


def resealed(data: bytes, at: int, fresh: bytes) -> bytes:
    """The file with other bytes at ``at`` and a check sum that fits."""
    body = data[:at] + fresh + data[at + len(fresh) : -4]
    return body + struct.pack("<I", zlib.crc32(body))


@given(st.integers(8, HEADER + 10), st.binary(min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_a_forged_file_is_refused_or_read(at, fresh):
    forged = resealed(pack(tokens(sticky(60, 2, 30), 30)), at, fresh)
    if struct.unpack_from("<I", forged, 28)[0] > 10_000:
        return  # frames: many zeros may follow a payload's end, which takes long and is no error
    try:
        got = unpack(forged)
    except TokenFileError:
        return
    assert got.values.min() >= 0 and got.values.max() < got.codes


def test_errors_are_a_line_that_names_the_file(file, tmp_path):
    path = tmp_path / "sound.tfc"
    path.write_bytes(b"RIFF" + bytes(99))
    with pytest.raises(TokenFileError, match=r"sound\.tfc: not a token file$"):
        token_file.read_tokens(path)
    path.write_bytes(resealed(file, 8, b"\x02"))
    with pytest.raises(TokenFileError, match="version 2, this program reads version 1"):
        token_file.probe_tokens(path)
    with pytest.raises(FileNotFoundError):
        token_file.read_tokens(tmp_path / "none.tfc")
    sound = unpack(file)
    for change, message in (
        ({"values": sound.values + 30}, "outside"),
        ({"values": sound.values[:0]}, "frames, groups"),
        ({"samples": 0}, "at least one sample"),
        ({"digest": "tiny"}, "hexadecimal"),
        ({"codes": 1 << 20}, "at most"),
    ):
        with pytest.raises(TokenFileError, match=message):
            token_file.write_tokens(path, dataclasses.replace(sound, **change))
    token_file.write_tokens(path, sound)
    assert path.read_bytes() == file and len(list(tmp_path.iterdir())) == 1
