"""Take the audio streams out of Ogg files: chained ones in order, other streams beside them left out.

libsndfile reads one stream; FLAC in Ogg is given to it as plain FLAC, whose count can be set right.
"""

import dataclasses
import zlib
from typing import NamedTuple

from hsmtss_jax.audio.io import flac
from hsmtss_jax.audio.io.layout import ForeignCodec, Layout, Stream
from hsmtss_jax.audio.io.view import View, ViewFile, find, join

_FLAC_HEADER = 9  # bytes of the mapping before the native stream
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_FIRST, _LAST = 2, 4  # header flags
_NAMES = {b"\x01vorbis": "vorbis", b"OpusHead": "opus", b"\x7fFLAC": "flac", b"Speex   ": "speex"}


class _Page(NamedTuple):
    at: int
    body: int  # offset of its body
    end: int
    serial: bytes
    flags: int


@dataclasses.dataclass
class _Link:
    """Hold the audio streams of one chain link: codec and pages by serial number."""

    codecs: dict[bytes, str]
    pages: dict[bytes, list[_Page]]


def parse(view: View) -> Layout | None:
    """Return the audio streams of the links of an Ogg file, or None where it is none."""
    with view.open() as file:
        if file.at(0, 4) != b"OggS":
            return None
        links, notes = _links(file, view.size)
    links = [link for link in links if link.codecs]
    if not links:
        raise ForeignCodec("Ogg without a known audio codec")
    streams: list[Stream] = []
    for link in links:
        serial, codec = next(iter(link.codecs.items()))
        if codec == "speex":
            raise ForeignCodec("Ogg with codec speex")
        if len(link.codecs) > 1:
            notes.append(
                f"{len(link.codecs)} streams of sound beside each other: the first is read"
            )
        pages = link.pages[serial]
        if not pages[-1].flags & _LAST:
            notes.append("cut short: its last page is missing, and how much before it is not known")
        streams += _native_flac(view, pages, notes) if codec == "flac" else [_plain(view, pages)]
    return Layout(streams, notes, "OGG")


def _links(file: ViewFile, end: int) -> tuple[list[_Link], list[str]]:
    links: list[_Link] = []
    at = lost = 0
    heads = False  # only first pages since the link began
    while (start := find(file, b"OggS", at, end)) >= 0:
        lost += start - at
        page = _page(file, start)
        if page is None or (page.end <= end and not _is_whole(file, page)):
            lost += 4
            at = start + 4
            continue
        at = page.end if page.end <= end else start + 4
        if page.end > end:
            if not links or links[-1].codecs.get(page.serial) != "flac":
                continue  # whole packets of it may be there, but no count of their samples
            page = page._replace(end=end, flags=page.flags & ~_LAST)
        if page.flags & _FIRST:
            if not heads:
                links.append(_Link({}, {}))
            heads = True
            name = next((n for k, n in _NAMES.items() if file.at(page.body, len(k)) == k), None)
            if name:
                links[-1].codecs[page.serial] = name
        else:
            heads = False
        if links and page.serial in links[-1].codecs:
            links[-1].pages.setdefault(page.serial, []).append(page)
    notes = [f"damaged: {lost} bytes between its pages are passed over"] if lost else []
    return links, notes


def _page(file: ViewFile, at: int) -> _Page | None:
    head = file.at(at, 27)
    if len(head) < 27 or head[4]:
        return None
    body = at + 27 + head[26]
    return _Page(at, body, body + sum(file.at(at + 27, head[26])), head[14:18], head[5])


def _is_whole(file: ViewFile, page: _Page) -> bool:
    """Return whether the checksum of a page is right; zlib's is the same one with reversed bits."""
    data = file.at(page.at, page.end - page.at)
    stated = data[22:26]
    data = data[:22] + bytes(4) + data[26:]
    value = zlib.crc32(data.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return value.to_bytes(4, "big").translate(_REVERSED) == stated


def _plain(view: View, pages: list[_Page]) -> Stream:
    """Return the pages alone, neighbours in one part."""
    runs = [[pages[0].at, pages[0].end]]
    for page in pages[1:]:
        if page.at == runs[-1][1]:
            runs[-1][1] = page.end
        else:
            runs.append([page.at, page.end])
    return Stream(join(view.cut(0, 0), *(view.cut(a, b) for a, b in runs)))


def _native_flac(view: View, pages: list[_Page], notes: list[str]) -> list[Stream]:
    bodies = [
        (page.body + (_FLAC_HEADER if index == 0 else 0), page.end)
        for index, page in enumerate(pages)
    ]
    layout = flac.parse(join(view.cut(0, 0), *(view.cut(a, b) for a, b in bodies)))
    if layout is None:
        raise ForeignCodec("Ogg with an unknown kind of FLAC")
    notes += layout.notes
    return list(layout.streams)
