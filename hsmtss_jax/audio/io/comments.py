"""Read and write the metadata blocks of FLAC files: comments (title, artist, ...) and pictures.

FLAC format (RFC 9639), section 8.
"""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

COMMENT, PICTURE = 4, 6
FIRST = 42  # offset behind the marker and STREAMINFO, which is always the first block
_LARGEST = 1 << 24  # bytes of a block
_MOST = 1000  # blocks that are read of a file
_MASK = "WAVEFORMATEXTENSIBLE_CHANNEL_MASK"
_STALE = ("ENCODER", "REPLAYGAIN_", "R128_")  # true of the mixture only
_NAMES = {"TRACK": "TRACKNUMBER", "ALBUM_ARTIST": "ALBUMARTIST", "DISC": "DISCNUMBER"}


class Block(NamedTuple):
    """Hold a metadata block: its kind and its content."""

    kind: int
    body: bytes


class FlacTags(NamedTuple):
    """Hold the comments ("TITLE=...") and the pictures of a file."""

    comments: Sequence[str] = ()
    pictures: Sequence[bytes] = ()

    def for_channels(self, channels: int, mask: int | None) -> "FlacTags":
        """Return them for a result: a loudspeaker mask of that many channels is kept or set."""
        named = [each for each in self.comments if not each.upper().startswith(_STALE)]
        masks = [each for each in named if each.upper().startswith(f"{_MASK}=")]
        named = [each for each in named if each not in masks]
        if mask is not None:
            masks = [f"{_MASK}=0x{mask:X}"]
        fits = [each for each in masks if _bits(each) == channels]
        return FlacTags((*named, *fits), self.pictures)


def read_flac_tags(path: Path) -> FlacTags | None:
    """Return the comments and pictures of a FLAC file; None where it is none."""
    with path.open("rb") as file:
        if file.read(4) != b"fLaC":
            return None
        blocks: list[Block] = []
        last = False
        while not last and len(blocks) < _MOST and len(header := file.read(4)) == 4:
            last = bool(header[0] & 0x80)
            body = file.read(int.from_bytes(header[1:], "big"))
            blocks.append(Block(header[0] & 0x7F, body))
    comments = [each for block in blocks if block.kind == COMMENT for each in _comments(block.body)]
    return FlacTags(tuple(comments), tuple(b.body for b in blocks if b.kind == PICTURE))


def from_tags(tags: Mapping[str, str]) -> FlacTags:
    """Return tags by name as comments."""
    named = {_NAMES.get(name.upper(), name.upper()): text for name, text in tags.items()}
    return FlacTags(tuple(f"{name}={text}" for name, text in named.items()))


def replace_blocks(header: bytes, tags: FlacTags) -> tuple[int, bytes]:
    """Return the end of the blocks behind STREAMINFO in an encoder's header, and what to put there."""
    at, vendor, last = FIRST, b"", False
    while not last and at + 4 <= len(header):
        last, kind = bool(header[at] & 0x80), header[at] & 0x7F
        size = int.from_bytes(header[at + 1 : at + 4], "big")
        if kind == COMMENT:
            length = int.from_bytes(header[at + 4 : at + 8], "little")
            vendor = header[at + 8 : at + 8 + length]
        at += 4 + size
    comment = _packed(vendor, tags.comments)
    if len(comment) >= _LARGEST:
        comment = _packed(vendor, ())
    bodies = [Block(COMMENT, comment)]
    bodies += [Block(PICTURE, body) for body in tags.pictures if len(body) < _LARGEST]
    parts = []
    for number, (kind, body) in enumerate(bodies, start=1):
        flag = 0x80 if number == len(bodies) else 0
        parts.append(bytes([flag | kind]) + len(body).to_bytes(3, "big") + body)
    return at, b"".join(parts)


def _packed(vendor: bytes, comments: Sequence[str]) -> bytes:
    texts = [vendor, *(each.encode("utf-8", "replace") for each in comments)]
    sized = [struct.pack("<I", len(text)) + text for text in texts]
    return sized[0] + struct.pack("<I", len(comments)) + b"".join(sized[1:])


def _comments(body: bytes) -> list[str]:
    """Return the comments of a block, as far as its lengths are right."""
    found = []
    try:
        at = 4 + struct.unpack_from("<I", body)[0]
        (count,) = struct.unpack_from("<I", body, at)
        at += 4
        for _ in range(count):
            (size,) = struct.unpack_from("<I", body, at)
            text = body[at + 4 : at + 4 + size].decode("utf-8", "replace")
            at += 4 + size
            if at <= len(body) and "=" in text:
                found.append(text)
    except struct.error:
        pass
    return found


def _bits(comment: str) -> int:
    """Return how many loudspeakers a mask names."""
    try:
        return int(comment.partition("=")[2], 0).bit_count()
    except ValueError:
        return 0
