"""Read files in packages, and in containers inside packages.

A path is a file in the unpacked package, or "file!member" for one inside a container. Each container
is a function from its file to {member: bytes or a function that returns them}.
"""

import os
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

Members = dict[str, Callable[[], bytes]]


def extension(path: str) -> str:
    """Return the lower-case extension without the dot, "" for none."""
    return path.rsplit(".", 1)[-1].lower() if "." in os.path.basename(path) else ""


class Package:
    """Read the files of an unpacked package."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._open: dict[str, Members] = {}

    def read(self, path: str) -> bytes:
        """Return the bytes of a path. Raises OSError or KeyError when there is none."""
        file, _, member = path.partition("!")
        full = os.path.join(self._root, file)
        if not member:
            return Path(full).read_bytes()
        if file not in self._open:
            self._open[file] = CONTAINERS[extension(file)](full)
        return self._open[file][member]()


def _constant(data: bytes) -> Callable[[], bytes]:
    return lambda: data


def zip_members(path: str) -> Members:
    """Read zip, pk3, love, whl."""
    archive = zipfile.ZipFile(path)
    names = [name for name in archive.namelist() if not name.endswith("/")]
    return {name: (lambda name=name: archive.read(name)) for name in names}


def rcc_members(path: str) -> Members:
    """Read a Qt binary resource (gcompris): a tree of nodes, UTF-16 names, data with a size in front."""
    raw = Path(path).read_bytes()
    if raw[:4] != b"qres":
        raise ValueError(f"{path} is no Qt resource file")
    version, tree, data, names = struct.unpack(">IIII", raw[4:20])
    node = 22 if version >= 2 else 14

    def name_at(offset: int) -> str:
        at = names + offset
        (length,) = struct.unpack(">H", raw[at : at + 2])
        return raw[at + 6 : at + 6 + 2 * length].decode("utf-16-be")

    def walk(i: int, prefix: str) -> Iterator[tuple[str, Callable[[], bytes]]]:
        at = tree + i * node
        offset, flags = struct.unpack(">IH", raw[at : at + 6])
        full = f"{prefix}/{name_at(offset)}".lstrip("/") if i else ""
        if flags & 2:
            count, first = struct.unpack(">II", raw[at + 6 : at + 14])
            for k in range(count):
                yield from walk(first + k, full)
        else:
            start = data + struct.unpack(">I", raw[at + 10 : at + 14])[0]
            (size,) = struct.unpack(">I", raw[start : start + 4])
            yield full, lambda: _rcc_data(flags, raw[start + 4 : start + 4 + size])

    return dict(walk(0, ""))


def _rcc_data(flags: int, data: bytes) -> bytes:
    if flags & 1:
        return zlib.decompress(data[4:])
    if flags & 4:
        import zstandard

        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    return data


def cat_members(path: str) -> Members:
    """Read an OpenTTD sound set: an index of offsets, then a Pascal string and a RIFF file for each sound."""
    raw = Path(path).read_bytes()
    count = (struct.unpack("<I", raw[:4])[0] & 0x7FFFFFFF) // 8
    members: Members = {}
    for i in range(count):
        offset = struct.unpack("<I", raw[8 * i : 8 * i + 4])[0] & 0x7FFFFFFF
        start = offset + 1 + raw[offset]
        if raw[start : start + 4] == b"RIFF":
            size = struct.unpack("<I", raw[start + 4 : start + 8])[0] + 8
            members[f"{i:02d}.wav"] = _constant(raw[start : start + size])
    return members


def clonk_members(path: str) -> Members:
    """Read an OpenClonk group: gzip with other magic bytes, a scrambled header, 316-byte entries, nested."""
    raw = Path(path).read_bytes()
    if raw[:2] == b"\x1e\x8c":
        raw = b"\x1f\x8b" + raw[2:]
    return dict(_clonk_walk(zlib.decompressobj(31).decompress(raw), ""))


def _clonk_walk(raw: bytes, prefix: str) -> Iterator[tuple[str, Callable[[], bytes]]]:
    head = bytearray(raw[:204])
    for i in range(0, 202, 3):
        head[i], head[i + 2] = head[i + 2], head[i]
    head = bytearray(byte ^ 237 for byte in head)
    (count,) = struct.unpack("<i", head[36:40])
    for k in range(count):
        entry = raw[204 + 316 * k : 204 + 316 * (k + 1)]
        name = entry[:260].split(b"\0")[0].decode("latin1")
        child, size, _, offset = struct.unpack("<iiii", entry[264:280])
        start = 204 + 316 * count + offset
        data = raw[start : start + size]
        if child:
            yield from _clonk_walk(data, f"{prefix}{name}/")
        else:
            yield prefix + name, _constant(data)


def sf2_members(path: str) -> Members:
    """Read a sound font: every sample as a wav file named after it."""
    raw = Path(path).read_bytes()
    samples, members = 0, {}
    for tag, at, size in _riff_chunks(raw, 12, len(raw)):
        if tag != b"LIST":
            continue
        for inner, start, length in _riff_chunks(raw, at + 4, at + size):
            if inner == b"smpl":
                samples = start
            elif inner == b"shdr":
                headers = [raw[start + 46 * k :][:46] for k in range(length // 46 - 1)]
                members |= dict(_sf2_sample(raw, samples, header) for header in headers)
    return {name: member for name, member in members.items() if member is not None}


def _riff_chunks(raw: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    while at + 8 <= end:
        tag, size = raw[at : at + 4], struct.unpack("<I", raw[at + 4 : at + 8])[0]
        yield tag, at + 8, size
        at += 8 + size + (size & 1)


def _sf2_sample(raw: bytes, base: int, header: bytes) -> tuple[str, Callable[[], bytes] | None]:
    name = header[:20].split(b"\0")[0].decode("latin1").strip()
    name = re.sub(r"[^\w() .-]", "_", name) + ".wav"
    start, end, _, _, rate = struct.unpack("<IIIII", header[20:40])
    if not rate or end <= start:
        return name, None
    return name, lambda: _wav(raw[base + 2 * start : base + 2 * end], rate)


def _wav(pcm: bytes, rate: int) -> bytes:
    form = struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
    body = b"WAVEfmt " + form + b"data" + struct.pack("<I", len(pcm)) + pcm
    return b"RIFF" + struct.pack("<I", len(body)) + body


CONTAINERS: dict[str, Callable[[str], Members]] = {
    "zip": zip_members,
    "pk3": zip_members,
    "love": zip_members,
    "whl": zip_members,
    "rcc": rcc_members,
    "cat": cat_members,
    "ocg": clonk_members,
    "ocd": clonk_members,
    "sf2": sf2_members,
}
