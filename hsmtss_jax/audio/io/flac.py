"""Find the true length of FLAC streams: the last whole frame tells which samples it holds.

The count in STREAMINFO is 0 where it was written to a pipe, and more than there is in a file that was cut.
libsndfile then refuses the file or fails at its end; it is given a copy of STREAMINFO with the true count.
"""

import functools
import itertools
from typing import NamedTuple

from hsmtss_jax.audio.io.layout import Layout, Stream
from hsmtss_jax.audio.io.tags import tags_behind
from hsmtss_jax.audio.io.view import View, ViewFile, find

_MARKS = (b"fLaC\x00\x00\x00\x22", b"fLaC\x80\x00\x00\x22")
_STREAMINFO = 8  # offset of the body
_TAIL = 1 << 17  # bytes in which the last frames are looked for at first
_BLOCK_SIZES = {
    1: 192,
    **{n: 576 << n - 2 for n in range(2, 6)},
    **{n: 256 << n - 8 for n in range(8, 16)},
}


class _Frame(NamedTuple):
    """Hold where a frame begins and which samples it holds."""

    at: int
    first: int
    samples: int


def parse(view: View) -> Layout | None:
    """Return the FLAC streams that follow each other in a view, or None where it holds none."""
    with view.open() as file:
        if file.at(0, 8) not in _MARKS:
            return None
        end = tags_behind(file, view.size)
        starts = [0]
        while (found := _next_stream(file, starts[-1] + 1, end)) >= 0:
            starts.append(found)
    parts = [_stream(view.cut(a, b)) for a, b in itertools.pairwise([*starts, end])]
    return Layout([stream for stream, _ in parts], [note for _, note in parts if note])


def _next_stream(file: ViewFile, start: int, end: int) -> int:
    while (at := find(file, b"fLaC", start, end)) >= 0:
        if file.at(at, 8) in _MARKS:
            return at
        start = at + 1
    return -1


def _stream(view: View) -> tuple[Stream, str | None]:
    with view.open() as file:
        info = file.at(_STREAMINFO, 34)
        stated = int.from_bytes(info[13:18], "big") & (1 << 36) - 1
        block = int.from_bytes(info[2:4], "big")
        sound = _sound_at(file)
        last = _last_frame(file, sound, view.size, block)
        if last is None:
            return Stream(view), None
        first = _header(file.at(sound, 16), sound, block)
        begin = first.first if first else 0
        whole = last.first + last.samples - begin
        if whole != stated and _crc16(file.at(last.at, view.size - last.at)):
            view, whole = view.cut(0, last.at), last.first - begin
    count = (int.from_bytes(info[13:18], "big") >> 36 << 36 | whole).to_bytes(5, "big")
    shown = view.patched(_STREAMINFO + 13, count) if whole != stated else view
    if whole >= stated:
        return Stream(shown, whole), None
    return Stream(shown, whole), f"cut short: {stated - whole} of {stated} samples are missing"


def _sound_at(file: ViewFile) -> int:
    """Return the offset behind the metadata."""
    at, last = 4, False
    while not last and len(header := file.at(at, 4)) == 4:
        last = header[0] >= 0x80
        at += 4 + int.from_bytes(header[1:], "big")
    return at


def _last_frame(file: ViewFile, start: int, end: int, block: int) -> _Frame | None:
    """Return the last frame that continues the one before it (or is the only one)."""
    size = _TAIL
    while True:
        begin = max(start, end - size)
        frames = _frames(file.at(begin, end - begin), begin, block)
        for before, frame in reversed(list(itertools.pairwise(frames))):
            if before.first + before.samples == frame.first:
                return frame
        if begin == start:
            return frames[0] if frames and frames[0].at == start else None
        size *= 4


def _frames(data: bytes, offset: int, block: int) -> list[_Frame]:
    frames, at = [], -1
    while (at := data.find(b"\xff", at + 1)) >= 0:
        if (frame := _header(data[at : at + 16], offset + at, block)) is not None:
            frames.append(frame)
    return frames


def _header(data: bytes, at: int, block: int) -> _Frame | None:
    """Return the frame whose header begins ``data``, or None; ``block``: samples of a full frame."""
    if len(data) < 6 or data[0] != 0xFF or data[1] & 0xFE != 0xF8 or data[3] & 1:
        return None
    length = max(1, 8 - (data[4] ^ 0xFF).bit_length()) if data[4] >= 0xC0 else 1
    if data[4] == 0xFF or 0x80 <= data[4] < 0xC0 or data[2] >> 4 == 0 or data[2] & 15 == 15:
        return None
    number = data[4] & (0x7F if length == 1 else 0x7F >> length)
    for byte in data[5 : 4 + length]:
        number = number << 6 | byte & 0x3F
    end, code = 4 + length, data[2] >> 4
    extra = {6: 1, 7: 2}.get(code, 0)
    samples = _BLOCK_SIZES.get(code) or int.from_bytes(data[end : end + extra], "big") + 1
    end += extra + {12: 1, 13: 2, 14: 2}.get(data[2] & 15, 0)
    if end >= len(data) or _crc8(data[:end]) != data[end]:
        return None
    return _Frame(at, number if data[1] & 1 else number * block, samples)


@functools.cache
def _crc_table(polynomial: int, bits: int) -> list[int]:
    table = []
    for value in range(256):
        value <<= bits - 8
        for _ in range(8):
            value = value << 1 ^ (polynomial if value >> bits - 1 else 0)
            value &= (1 << bits) - 1
        table.append(value)
    return table


def _crc8(data: bytes) -> int:
    table, value = _crc_table(0x07, 8), 0
    for byte in data:
        value = table[value ^ byte]
    return value


def _crc16(data: bytes) -> int:
    table, value = _crc_table(0x8005, 16), 0
    for byte in data:
        value = (value << 8 & 0xFF00) ^ table[value >> 8 ^ byte]
    return value
