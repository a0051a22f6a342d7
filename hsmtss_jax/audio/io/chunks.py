"""Keep the chunks of a WAV file that are not sound: broadcast extension, iXML, tags, markers, channel mask.

EBU Tech 3285 (bext), Microsoft's WAVEFORMATEXTENSIBLE (the mask of loudspeaker positions).
"""

import re
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

_KEPT = (b"bext", b"iXML", b"LIST", b"id3 ", b"ID3 ", b"_PMX", b"cart", b"cue ", b"smpl", b"inst")
_AT_SAMPLES = (b"cue ", b"smpl")  # and LIST adtl: they name samples of the whole recording
_LARGEST = 1 << 24  # bytes of all chunks
_TIME_REFERENCE, _VERSION, _LOUDNESS = 338, 346, 412  # offsets in bext
_NOT_MEASURED = struct.pack("<h", 0x7FFF) * 5
_EXTENSIBLE = 0xFFFE
_MASK = 20  # offset in fmt
_STAMPS = re.compile(
    rb"(<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_(HI|LO)>)\s*(\d+)\s*(</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_\2>)"
)


class Chunk(NamedTuple):
    """Hold a chunk's name and content."""

    name: bytes
    body: bytes


class WavExtras(NamedTuple):
    """Hold what a WAV file has beside its sound; mask None: it is no WAVE_FORMAT_EXTENSIBLE."""

    chunks: Sequence[Chunk] = ()
    mask: int | None = None


class _Place(NamedTuple):
    name: bytes
    at: int
    size: int


def read_extras(path: Path) -> WavExtras:
    """Read the chunks that are kept; none of what is no little-endian WAV or RF64 file."""
    chunks, mask, size = [], None, 0
    with path.open("rb") as file:
        for place in _walk(file):
            file.seek(place.at)
            if place.name == b"fmt ":
                mask = _mask(file.read(min(place.size, 40)))
            elif place.name in _KEPT and (size := size + place.size) <= _LARGEST:
                body = file.read(place.size)
                if len(body) == place.size:
                    chunks.append(Chunk(place.name, body))
    return WavExtras(tuple(chunks), mask)


def pack(chunks: Sequence[Chunk]) -> bytes:
    """Return chunks as they stand in a file."""
    parts = [
        struct.pack("<4sI", name, len(body)) + body + bytes(len(body) % 2) for name, body in chunks
    ]
    return b"".join(parts)


def part_of(chunks: Sequence[Chunk], start: int) -> list[Chunk]:
    """Return the chunks of a part from a sample on: its time reference moves, markers are left out."""
    kept = []
    for name, body in chunks:
        marks = name in _AT_SAMPLES or (name == b"LIST" and body[:4] == b"adtl")
        if marks and start:
            continue
        if name == b"bext":
            body = _moved_bext(body, start)
        elif name == b"iXML" and start:
            body = _moved_xml(body, start)
        kept.append(Chunk(name, body))
    return kept


def complete(path: Path, added: int, mask: int | None) -> None:
    """Mend a finished file: count ``added`` bytes of chunks in its size, set its channel mask."""
    with path.open("r+b") as file:
        for place in _walk(file, until=b"fmt "):
            if place.name == b"ds64" and added:
                _add(file, place.at, "<Q", added)
            if place.name == b"fmt " and mask is not None:
                file.seek(place.at)
                if _mask(file.read(min(place.size, 40))) is not None:
                    file.seek(place.at + _MASK)
                    file.write(struct.pack("<I", mask))
        file.seek(0)
        if file.read(4) == b"RIFF" and added:
            _add(file, 4, "<I", added)


def _add(file, at: int, kind: str, more: int) -> None:  # type: ignore[no-untyped-def]
    size = struct.calcsize(kind)
    file.seek(at)
    (before,) = struct.unpack(kind, file.read(size))
    file.seek(at)
    file.write(struct.pack(kind, before + more))


def _walk(file, until: bytes = b"") -> Iterator[_Place]:  # type: ignore[no-untyped-def]
    """Yield the chunks of a RIFF file; those behind the samples where the size of these is right."""
    file.seek(0)
    head = file.read(12)
    if head[:4] not in (b"RIFF", b"RF64", b"BW64") or head[8:] != b"WAVE":
        return
    at, long_size = 12, 0
    while True:
        file.seek(at)
        header = file.read(8)
        if len(header) < 8:
            return
        name, size = struct.unpack("<4sI", header)
        if not all(32 <= byte < 127 for byte in name):
            return  # samples behind a size that was never filled in
        if name == b"ds64":
            long_size = struct.unpack("<8xQ", file.read(16).ljust(16, b"\0"))[0]
        if name == b"data" and size == 0xFFFFFFFF:
            size = long_size
        yield _Place(name, at + 8, size)
        if name == until:
            return
        at += 8 + size + size % 2


def _mask(fmt: bytes) -> int | None:
    if len(fmt) < 40 or struct.unpack_from("<H", fmt)[0] != _EXTENSIBLE:
        return None
    mask: int = struct.unpack_from("<I", fmt, _MASK)[0]
    return mask


def _moved_bext(body: bytes, start: int) -> bytes:
    """Return a broadcast extension for a part, without the loudness that was the whole mixture's."""
    if len(body) < _VERSION + 2:
        return body
    (reference,) = struct.unpack_from("<Q", body, _TIME_REFERENCE)
    moved = struct.pack("<Q", min(reference + start, 2**64 - 1))
    body = body[:_TIME_REFERENCE] + moved + body[_TIME_REFERENCE + 8 :]
    (version,) = struct.unpack_from("<H", body, _VERSION)
    if version >= 2 and len(body) >= _LOUDNESS + len(_NOT_MEASURED):
        body = body[:_LOUDNESS] + _NOT_MEASURED + body[_LOUDNESS + len(_NOT_MEASURED) :]
    return body


def _moved_xml(body: bytes, start: int) -> bytes:
    stamps = {found[1]: int(found[2]) for found in _STAMPS.findall(body)}
    if not {b"HI", b"LO"} <= stamps.keys():
        return body
    total = (stamps[b"HI"] << 32) + stamps[b"LO"] + start
    new = {b"HI": total >> 32, b"LO": total & 0xFFFFFFFF}
    return _STAMPS.sub(lambda found: b"%b%d%b" % (found[1], new[found[2]], found[4]), body)
