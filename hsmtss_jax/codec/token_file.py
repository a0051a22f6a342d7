"""Token files (.tfc): the tokens of a neural codec on disk. No JAX.

Little-endian: magic 8 bytes, version u8, coding u8 (0 packed, 1 range coder), groups u16, codes u32,
sample rate u32, samples u64, token frames u32, digest 16 bytes, payload size u32, payload, CRC-32 of all
that precedes it. The payload is packed, ceil(log2 codes) bits a token, frame by frame, or range coded
where that is shorter. Everything that can be wrong with a file is one ``TokenFileError`` of one line.

Legend: N token frames, K groups.
"""

import dataclasses
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from hsmtss_jax.atomic import replace_file
from hsmtss_jax.codec import range_coder

FORMAT_VERSION = 1
PACKED, RANGE_CODED = 0, 1
CODINGS = ("packed", "range coded")
DIGEST_DIGITS = 32  # of a bundle's digest that are kept
_MAGIC = b"\x89TFC\r\n\x1a\n"  # damaged by whatever treats the file as text
_HEADER = struct.Struct("<8sBBHIIQI16sI")
_CRC = struct.Struct("<I")
_T = TypeVar("_T")
_MAX_GROUPS, _MAX_CODES = 256, 1 << 16


class TokenFileError(ValueError):
    """Signal a token file that cannot be read or written; the message is one line."""


@dataclasses.dataclass(frozen=True, eq=False)
class Tokens:
    """Hold a coded sound. values: int32 [N, K] in [0, codes). samples: its length at ``sample_rate`` Hz.

    digest: the first 32 hexadecimal digits of the digest of the codec bundle that made it.
    Two are equal when all values and fields are. Not hashable: ``values`` can be written to.
    """

    values: np.ndarray
    codes: int
    samples: int
    sample_rate: int
    digest: str

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tokens):
            return NotImplemented
        return self._fields() == other._fields() and np.array_equal(self.values, other.values)

    __hash__ = None  # type: ignore[assignment]

    def _fields(self) -> tuple[int, int, int, str]:
        return self.codes, self.samples, self.sample_rate, self.digest

    @property
    def seconds(self) -> float:
        return self.samples / self.sample_rate


@dataclasses.dataclass(frozen=True)
class TokenFileInfo:
    """Describe a token file's header. bytes: of the whole file, of which ``payload`` are tokens."""

    coding: str
    groups: int
    codes: int
    frames: int
    samples: int
    sample_rate: int
    digest: str
    bytes: int
    payload: int

    @property
    def seconds(self) -> float:
        return self.samples / self.sample_rate


def pack(tokens: Tokens) -> bytes:
    """Return the bytes of a token file. Raises TokenFileError for tokens that the format cannot hold."""
    frames, groups = _check(tokens)
    payload, coding = None, PACKED
    if frames <= range_coder.MAX_FRAMES and tokens.codes <= range_coder.MAX_CODES:
        payload, coding = range_coder.encode(tokens.values, tokens.codes), RANGE_CODED
    if payload is None or len(payload) >= _packed_size(frames * groups, tokens.codes):
        payload, coding = _pack_bits(tokens.values, tokens.codes), PACKED
    header = _HEADER.pack(
        *(_MAGIC, FORMAT_VERSION, coding, groups, tokens.codes, tokens.sample_rate),
        *(tokens.samples, frames, bytes.fromhex(tokens.digest), len(payload)),
    )
    return header + payload + _CRC.pack(zlib.crc32(header + payload))


def inspect(data: bytes) -> TokenFileInfo:
    """Return the header of a token file's bytes, all of which are checked against their sum.

    Raises TokenFileError for what is not a token file, has another version, or is damaged.
    """
    if data[: len(_MAGIC)] != _MAGIC:
        raise TokenFileError("not a token file")
    if len(data) < _HEADER.size + _CRC.size:
        raise TokenFileError("truncated within its header")
    fields = _HEADER.unpack_from(data)
    _, version, coding, groups, codes, rate, samples, frames, digest, payload = fields
    if version != FORMAT_VERSION:
        raise TokenFileError(
            f"token file version {version}, this program reads version {FORMAT_VERSION}"
        )
    size = _HEADER.size + payload + _CRC.size
    if len(data) < size:
        raise TokenFileError(f"truncated: {size - len(data)} of {size} bytes are missing")
    if len(data) > size or zlib.crc32(data[: -_CRC.size]) != _CRC.unpack(data[-_CRC.size :])[0]:
        raise TokenFileError("damaged: its bytes do not match their check sum")
    legal = coding < len(CODINGS) and groups <= _MAX_GROUPS and codes <= _MAX_CODES
    if not (legal and rate and samples and frames and groups and codes):
        raise TokenFileError("not a token file that this program can have written")
    return TokenFileInfo(
        CODINGS[coding], groups, codes, frames, samples, rate, digest.hex(), len(data), payload
    )


def unpack(data: bytes) -> Tokens:
    """Read the bytes that ``pack`` made. Raises TokenFileError as ``inspect`` does."""
    info = inspect(data)
    payload = data[_HEADER.size : -_CRC.size]
    if info.coding == CODINGS[PACKED]:
        values = _unpack_bits(payload, info)
    elif info.frames > range_coder.MAX_FRAMES or info.codes > range_coder.MAX_CODES:
        raise TokenFileError("not a token file that this program can have written")
    else:
        values = range_coder.decode(payload, info.frames, info.groups, info.codes)
    return Tokens(values, info.codes, info.samples, info.sample_rate, info.digest)


def write_tokens(path: str | os.PathLike[str], tokens: Tokens) -> None:
    """Write a token file in one move; raises TokenFileError or OSError, and writes nothing then."""
    data = pack(tokens)
    with replace_file(path) as work:
        work.write_bytes(data)


def read_tokens(path: str | os.PathLike[str]) -> Tokens:
    """Read a token file. Raises OSError, or TokenFileError with the file's name."""
    return _of_file(path, unpack)


def probe_tokens(path: str | os.PathLike[str]) -> TokenFileInfo:
    """Read the header of a token file; errors are those of ``read_tokens``."""
    return _of_file(path, inspect)


def _of_file(path: str | os.PathLike[str], reader: Callable[[bytes], _T]) -> _T:
    try:
        return reader(Path(path).read_bytes())
    except TokenFileError as error:
        raise TokenFileError(f"{path}: {error}") from None


def _check(tokens: Tokens) -> tuple[int, int]:
    """Return N and K of tokens that the format can hold. Raises TokenFileError for others."""
    values = tokens.values
    if values.ndim != 2 or 0 in values.shape:
        raise TokenFileError(f"tokens are [frames, groups], not {list(values.shape)}")
    if not 1 <= tokens.codes <= _MAX_CODES or values.shape[1] > _MAX_GROUPS:
        raise TokenFileError(f"at most {_MAX_GROUPS} groups of {_MAX_CODES} codes can be stored")
    if values.min() < 0 or values.max() >= tokens.codes:
        raise TokenFileError(f"tokens lie outside their {tokens.codes} codes")
    if tokens.samples < 1 or tokens.sample_rate < 1:
        raise TokenFileError("a coded sound has at least one sample and a positive rate")
    if len(tokens.digest) != DIGEST_DIGITS or set(tokens.digest) - set("0123456789abcdef"):
        raise TokenFileError(f"the codec's digest is {DIGEST_DIGITS} hexadecimal digits")
    return values.shape


def _width(codes: int) -> int:
    """Return the bits of a packed token."""
    return (codes - 1).bit_length()


def _packed_size(count: int, codes: int) -> int:
    """Return the bytes of so many packed tokens."""
    return -(-count * _width(codes) // 8)


def _pack_bits(values: np.ndarray, codes: int) -> bytes:
    width = _width(codes)
    bits = np.empty((values.size, width), np.uint8)
    for i in range(width):
        bits[:, i] = (values >> (width - 1 - i) & 1).reshape(-1)
    return np.packbits(bits).tobytes()


def _unpack_bits(payload: bytes, info: TokenFileInfo) -> np.ndarray:
    width, count = _width(info.codes), info.frames * info.groups
    if len(payload) != _packed_size(count, info.codes):
        raise TokenFileError("not a token file that this program can have written")
    bits = np.unpackbits(np.frombuffer(payload, np.uint8), count=count * width)
    values = np.zeros(count, np.int32)
    for i in range(width):
        values |= bits[i::width].astype(np.int32) << (width - 1 - i)
    if values.max() >= info.codes:
        raise TokenFileError("not a token file that this program can have written")
    return values.reshape(info.frames, info.groups)
