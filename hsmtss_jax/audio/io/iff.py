"""Set the sizes in AIFF, AU and CAF files right, where they contradict the bytes that are there."""

import struct

from hsmtss_jax.audio.io.layout import Layout, Stream, extent
from hsmtss_jax.audio.io.tags import is_tag
from hsmtss_jax.audio.io.view import View, ViewFile

_AIFF_BYTES = {
    b"fl32": 4,
    b"FL32": 4,
    b"fl64": 8,
    b"FL64": 8,
    b"ulaw": 1,
    b"ULAW": 1,
    b"alaw": 1,
    b"ALAW": 1,
    b"in24": 3,
    b"in32": 4,
    b"23ni": 4,
    b"42n1": 3,
}
_AIFF_LINEAR = (b"NONE", b"twos", b"sowt", b"raw ")
_AU_BYTES = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}


def parse_aiff(view: View) -> Layout | None:
    """Return the stream of an AIFF or AIFC file, or None where it is none."""
    with view.open() as file:
        head = file.at(0, 12)
        if head[:4] != b"FORM" or head[8:] not in (b"AIFF", b"AIFC"):
            return None
        common, sound, stated = _aiff_chunks(file)
        if not common or not sound:
            return Layout([Stream(view)])
        channels, count, bits = struct.unpack(">hIh", file.at(common, 8).ljust(8, b"\0"))
        codec = file.at(common + 18, 4) if head[8:] == b"AIFC" else b"NONE"
        size = _AIFF_BYTES.get(codec, (bits + 7) // 8 if codec in _AIFF_LINEAR else 0)
        skipped = int.from_bytes(file.at(sound, 4), "big") if stated >= 8 else 0
        if size * channels <= 0:
            return Layout([Stream(view)])
        behind = sound + stated + stated % 2
        more = behind + 8 > view.size or file.at(behind, 4).isalnum() or is_tag(file, behind)
    begin = 8 + skipped
    align = size * channels
    counted = max(stated - begin, 0)
    length, note = extent(counted, view.size - sound - begin, align, more=more)
    right = length == counted and count == length // align
    if not right:
        if common < sound:
            view = view.cut(0, sound + begin + length)
        view = view.patched(4, struct.pack(">I", min(view.size - 8, 0xFFFFFFFF)))
        view = view.patched(common + 2, struct.pack(">I", length // align))
        view = view.patched(sound - 4, struct.pack(">I", min(begin + length, 0xFFFFFFFF)))
    return Layout([Stream(view)], [note] if note else [])


def _aiff_chunks(file: ViewFile) -> tuple[int, int, int]:
    """Return the offsets of COMM's and SSND's bodies, 0 where missing, and the size of SSND."""
    at, common, sound, stated = 12, 0, 0, 0
    while len(header := file.at(at, 8)) == 8 and not (common and sound):
        size = int.from_bytes(header[4:], "big")
        if header[:4] == b"COMM":
            common = at + 8
        elif header[:4] == b"SSND":
            sound, stated = at + 8, size
        at += 8 + size + size % 2
    return common, sound, stated


def parse_au(view: View) -> Layout | None:
    """Return the stream of an AU file, or None where it is none."""
    with view.open() as file:
        head = file.at(0, 24)
    if len(head) < 24 or head[:4] not in (b".snd", b"dns."):
        return None
    order = ">" if head[:4] == b".snd" else "<"
    begin, stated, codec, _, channels = struct.unpack(f"{order}5I", head[4:])
    if codec not in _AU_BYTES or not channels or begin < 24:
        return Layout([Stream(view)])
    align = _AU_BYTES[codec] * channels
    length, note = extent(stated, view.size - begin, align, more=False)
    if length != stated:
        view = view.cut(0, begin + length).patched(
            8, struct.pack(f"{order}I", min(length, 0xFFFFFFFF))
        )
    return Layout([Stream(view)], [note] if note else [])


def parse_caf(view: View) -> Layout | None:
    """Return the stream of a CAF file, or None where it is none."""
    with view.open() as file:
        if file.at(0, 4) != b"caff":
            return None
        at, align = 8, 0
        while len(header := file.at(at, 12)) == 12:
            name, size = header[:4], int.from_bytes(header[4:], "big", signed=True)
            at += 12
            if name == b"desc" and file.at(at + 8, 4) in (b"lpcm", b"ulaw", b"alaw"):
                align = int.from_bytes(file.at(at + 16, 4), "big")
            if name == b"data":
                break
            at += max(size, 0)
        else:
            return Layout([Stream(view)])
        behind = at + size
        more = size > 0 and (behind >= view.size or file.at(behind, 4).isalnum())
    if not align:
        return Layout([Stream(view)])
    counted = size - 4 if size >= 4 else 0
    length, note = extent(counted, view.size - at - 4, align, more=more)
    if length != counted:
        view = view.cut(0, at + 4 + length).patched(at - 8, struct.pack(">q", length + 4))
    return Layout([Stream(view)], [note] if note else [])
