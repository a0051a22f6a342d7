"""Read the chunks of WAV, RIFX, RF64, BW64 and Wave64 files.

A file whose sizes are all right is given to libsndfile as it is. For any other, a header is written anew
before the sample data, since libsndfile reads less than there is, or nothing, where a size is wrong.
"""

import dataclasses
import struct

from hsmtss_jax.audio.io import mpeg
from hsmtss_jax.audio.io.layout import ForeignCodec, Layout, Stream, extent
from hsmtss_jax.audio.io.tags import is_tag
from hsmtss_jax.audio.io.view import View, ViewFile, join

_NAMES = {b"RIFF": "WAV", b"RIFX": "WAV", b"RF64": "RF64", b"BW64": "RF64"}
_W64 = bytes.fromhex("726966662e91cf11a5d628db04c10000")
_W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")
_EXTENSIBLE = 0xFFFE
_MPEG = (0x50, 0x55)
_SNDFILE = (1, 2, 3, 6, 7, 0x11, 0x31, 0x38, 0x40, 0x41, 0x42, 0x45, 0x64)
_LINEAR = (1, 3, 6, 7)
_IN_BLOCKS = (2, 0x11, 0x31)  # two kinds of ADPCM, GSM


@dataclasses.dataclass
class _Chunks:
    """Hold what the chunks up to the samples tell; sizes and offsets in bytes."""

    order: str
    format: str
    fmt: bytes = b""
    data_at: int = 0
    stated: int = 0
    fact: int = 0  # samples, of codecs that work in blocks
    clean: bool = True  # every size and pad byte so far is right

    @property
    def tag(self) -> int:
        tag = self.number(0)
        return self.number(24) if tag == _EXTENSIBLE and len(self.fmt) >= 26 else tag

    @property
    def align(self) -> int:
        channels, bits = self.number(2), self.number(14)
        least = channels * -(-bits // 8) if self.tag in _LINEAR else 1
        return max(1, least, self.number(12))

    def samples(self, size: int) -> int | None:
        """Return the samples in ``size`` bytes: not all of the last block need be sound."""
        if self.tag not in _IN_BLOCKS or len(self.fmt) < 20:
            return None
        block = self.number(18)
        most = size // self.align * block
        return self.fact if most - block < self.fact <= most else most

    def number(self, at: int) -> int:
        value: int = struct.unpack_from(f"{self.order}H", self.fmt, at)[0]
        return value


def parse(view: View) -> Layout | None:
    """Return the streams of a RIFF or Wave64 file, or None where it is none."""
    with view.open() as file:
        chunks = _riff(file, view.size) or _wave64(file, view.size)
        if chunks is None or len(chunks.fmt) < 16 or not chunks.data_at:
            return None
        end = chunks.data_at + chunks.stated
        joined = file.at(end, 4) in _NAMES and file.at(end + 8, 4) == b"WAVE"
        more = joined or end >= view.size or _holds_chunks(file, end, view.size, chunks)
    unit = "samples" if chunks.tag in _LINEAR else "blocks of samples"
    available = view.size - chunks.data_at
    size, note = extent(chunks.stated, available, chunks.align, more=more, unit=unit)
    data = view.cut(chunks.data_at, chunks.data_at + size)
    notes = [note] if note else []
    if chunks.tag in _MPEG:
        inner = mpeg.parse(data)
        if inner is None:
            raise ForeignCodec(f"WAV with codec {chunks.tag:#x}")
        outer = notes if chunks.stated > available else []
        return Layout(inner.streams, [*outer, *inner.notes], chunks.format)
    if chunks.tag not in _SNDFILE:
        raise ForeignCodec(f"WAV with codec {chunks.tag:#x}")
    right = chunks.clean and size == chunks.stated and not joined
    shown = view if right else join(_header(view, chunks, size), data)
    streams = [Stream(shown, chunks.samples(size))]
    if joined and (rest := parse(view.cut(end))):
        streams, notes = [*streams, *rest.streams], [*notes, *rest.notes]
    return Layout(streams, notes, chunks.format)


def _riff(file: ViewFile, end: int) -> _Chunks | None:
    magic = file.at(0, 12)
    if magic[:4] not in _NAMES or magic[8:12] != b"WAVE":
        return None
    order = ">" if magic[:4] == b"RIFX" else "<"
    chunks = _Chunks(order, _NAMES[magic[:4]], clean=magic[:4] in (b"RIFF", b"RIFX"))
    riff_size = struct.unpack(f"{order}I", magic[4:8])[0]
    chunks.clean &= riff_size + 8 in (end, end - 1, end + 1)
    at, long_size = 12, 0
    while len(header := file.at(at, 8)) == 8:
        name, size = struct.unpack(f"{order}4sI", header)
        at += 8
        if name == b"ds64":
            long_size = struct.unpack("<Q", file.at(at + 8, 8).ljust(8, b"\0"))[0]
        elif name == b"fmt ":
            chunks.fmt = file.at(at, min(size, 64))
            chunks.clean &= not chunks.data_at
        elif name == b"fact":
            chunks.fact = int.from_bytes(file.at(at, 4), "big" if order == ">" else "little")
        elif name == b"data":
            long = chunks.format == "RF64" and size == 0xFFFFFFFF and long_size
            chunks.data_at, chunks.stated = at, long_size if long else size
            size = chunks.stated
        if chunks.fmt and chunks.data_at:
            break
        at += size
        if (size % 2 and not _is_name(file.at(at, 4)[:1])) or (
            size % 2 and _is_name(file.at(at + 1, 4))
        ):
            at += 1
        elif size % 2:
            chunks.clean = False  # no pad byte
    return chunks


def _wave64(file: ViewFile, end: int) -> _Chunks | None:
    if file.at(0, 16) != _W64 or file.at(24, 16) != b"wave" + _W64_TAIL:
        return None
    chunks = _Chunks("<", "W64")
    chunks.clean = struct.unpack("<Q", file.at(16, 8))[0] in range(end - 8, end + 9)
    at = 40
    while len(header := file.at(at, 24)) == 24:
        name, size = header[:4], struct.unpack("<Q", header[16:])[0] - 24
        if name == b"fmt ":
            chunks.fmt = file.at(at + 24, min(max(size, 0), 64))
        elif name == b"data":
            chunks.data_at, chunks.stated = at + 24, max(size, 0)
        if size < 0 or (chunks.fmt and chunks.data_at):
            break
        at += (24 + size + 7) // 8 * 8
    return chunks


def _holds_chunks(file: ViewFile, at: int, end: int, chunks: _Chunks) -> bool:
    """Return whether chunks or tags follow from ``at`` on, and no samples that were not counted."""
    if chunks.format == "W64":
        at = (at + 7) // 8 * 8
        return at >= end or (file.at(at, 4).isalpha() and file.at(at, 8)[:4].islower())
    if chunks.stated % 2 and end == at + 1:
        return True  # the pad byte of an odd size
    for start in (at + at % 2, at, at + 1):
        position = start
        while position + 8 <= end and _is_name(file.at(position, 4)):
            size = struct.unpack(f"{chunks.order}I", file.at(position + 4, 4))[0]
            position += 8 + size + size % 2
        if is_tag(file, position) or (position > start and position + 8 > end):
            return True
    return False


def _is_name(name: bytes) -> bool:
    return bool(name) and all(32 <= byte < 127 for byte in name)


def _header(view: View, chunks: _Chunks, size: int) -> View:
    """Return a new RIFF header for ``size`` bytes of samples, RF64 beyond 4 GB."""
    fmt = bytearray(chunks.fmt)
    if chunks.tag in _LINEAR:
        struct.pack_into(f"{chunks.order}H", fmt, 12, chunks.align)
    body = b"fmt " + struct.pack(f"{chunks.order}I", len(fmt)) + bytes(fmt)
    if size + len(body) + 20 < 2**32:
        magic = b"RIFX" if chunks.order == ">" else b"RIFF"
        sizes = [struct.pack(f"{chunks.order}I", n) for n in (4 + len(body) + 8 + size, size)]
        return View(view.path, [magic + sizes[0] + b"WAVE" + body + b"data" + sizes[1]])
    align = chunks.align
    long = struct.pack("<4sIQQQI", b"ds64", 28, 40 + len(body) + size, size, size // align, 0)
    unknown = b"\xff" * 4
    return View(view.path, [b"RF64" + unknown + b"WAVE" + long + body + b"data" + unknown])
