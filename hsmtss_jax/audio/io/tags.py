"""Find the tags that are put before and behind sound: ID3, APE, Lyrics3."""

from hsmtss_jax.audio.io.view import ViewFile

_ID3V1 = 128


def tags_before(file: ViewFile, offset: int = 0) -> int:
    """Return the offset behind the ID3v2 tags that begin at ``offset``."""
    while True:
        header = file.at(offset, 10)
        if len(header) < 10 or header[:3] != b"ID3" or max(header[6:10]) > 127:
            return offset
        size = int.from_bytes(_seven_bits(header[6:10]), "big")
        offset += 10 + size + (10 if header[5] & 0x10 else 0)


def tags_behind(file: ViewFile, end: int) -> int:
    """Return the offset at which the tags before ``end`` begin, or ``end``."""
    while True:
        before = end
        if file.at(end - _ID3V1, 3) == b"TAG" and end >= _ID3V1:
            end -= _ID3V1
        footer = file.at(max(0, end - 32), 32)
        if footer[:8] == b"APETAGEX":
            size = int.from_bytes(footer[12:16], "little")
            size += 32 if footer[23] & 0x80 else 0
            end -= size if 32 <= size <= end else 32
        if footer[-9:] == b"LYRICS200" and footer[-15:-9].isdigit():
            end -= min(end, int(footer[-15:-9]) + 15)
        if footer[-10:-7] == b"3DI" and max(footer[-4:]) < 128:
            end -= min(end, 20 + int.from_bytes(_seven_bits(footer[-4:]), "big"))
        if end == before:
            return end


def is_tag(file: ViewFile, offset: int) -> bool:
    """Return whether a tag begins at ``offset``."""
    head = file.at(offset, 11)
    return head[:3] in (b"TAG", b"ID3") or head[:8] == b"APETAGEX" or head == b"LYRICSBEGIN"


def tag_at(file: ViewFile, offset: int, end: int) -> int:
    """Return the offset behind the tags that begin at ``offset``, at most ``end``."""
    while True:
        before = offset
        offset = tags_before(file, offset)
        if file.at(offset, 3) == b"TAG":
            offset += _ID3V1
        head = file.at(offset, 32)
        if head[:8] == b"APETAGEX":
            size = int.from_bytes(head[12:16], "little")
            offset += 32 + (size if head[23] & 0x20 else 0)
        if offset == before or offset >= end:
            return min(offset, end)


def _seven_bits(data: bytes) -> bytes:
    value = 0
    for byte in data:
        value = value << 7 | byte
    return value.to_bytes(4, "big")
