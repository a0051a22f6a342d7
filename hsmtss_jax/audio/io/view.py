"""Show parts of a file, and bytes of our own between them, as one read-only file.

Decoders so get a corrected header, one stream of several, or a stream without foreign bytes, while
nothing is copied to disk or held in memory.
"""

import bisect
import io
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_WINDOW = 1 << 18  # bytes that random access reads at a time


class Range(NamedTuple):
    """Name ``size`` bytes of the file from ``offset`` on."""

    offset: int
    size: int


class View:
    """Read the concatenation of ``parts``, each a Range of the file at ``path`` or literal bytes.

    An object of the class is shared between threads; ``open`` gives each reader a position of its own.
    """

    def __init__(self, path: Path, parts: Sequence[Range | bytes]) -> None:
        self.path = path
        self.parts = [part for part in parts if (part if isinstance(part, bytes) else part.size)]
        sizes = [len(part) if isinstance(part, bytes) else part.size for part in self.parts]
        self.ends = list(itertools.accumulate(sizes))
        self.size = self.ends[-1] if self.ends else 0

    @classmethod
    def whole(cls, path: Path) -> "View":
        """Return the file as it is."""
        return cls(path, [Range(0, path.stat().st_size)])

    def cut(self, start: int, stop: int | None = None) -> "View":
        """Return the bytes from ``start`` to before ``stop``."""
        stop = self.size if stop is None else min(stop, self.size)
        parts: list[Range | bytes] = []
        for part, end in zip(self.parts, self.ends, strict=True):
            size = len(part) if isinstance(part, bytes) else part.size
            first, last = max(start - (end - size), 0), min(stop - (end - size), size)
            if first < last:
                if isinstance(part, bytes):
                    parts.append(part[first:last])
                else:
                    parts.append(Range(part.offset + first, last - first))
        return View(self.path, parts)

    def patched(self, offset: int, new: bytes) -> "View":
        """Return the view with the bytes from ``offset`` on replaced by ``new``."""
        return join(self.cut(0, offset), new, self.cut(offset + len(new)))

    def open(self, claimed_size: int | None = None) -> "ViewFile":
        """Open for reading; zeros follow to ``claimed_size`` [bytes]."""
        return ViewFile(self, claimed_size)


def join(first: View, *rest: View | bytes) -> View:
    """Return views of one file and literal bytes as one view."""
    parts = list(first.parts)
    for more in rest:
        parts.extend([more] if isinstance(more, bytes) else more.parts)
    return View(first.path, parts)


class ViewFile:
    """Read a view as a binary file; ``error`` keeps what the system reported.

    Errors do not leave ``readinto``, since a C library calls it.
    """

    def __init__(self, view: View, claimed_size: int | None = None) -> None:
        self._view, self._position = view, 0
        self._size = view.size if claimed_size is None else claimed_size
        self._file = view.path.open("rb", buffering=0)
        self._held, self._held_at = b"", 0
        self.error: OSError | None = None
        self.name = str(view.path)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: memoryview) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def read(self, size: int) -> bytes:
        """Read up to ``size`` bytes at the position, fewer at the end only."""
        data = self.at(self._position, size)
        self._position += len(data)
        return data

    def at(self, offset: int, size: int) -> bytes:
        """Read ``size`` bytes at ``offset``, fewer at the end only."""
        first = offset - self._held_at
        if not 0 <= first <= first + size <= len(self._held):
            self._held = self._load(offset, max(size, _WINDOW))
            self._held_at, first = offset, 0
        return self._held[first : first + size]

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> "ViewFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _load(self, offset: int, size: int) -> bytes:
        pieces, view = [], self._view
        began, asked = offset, size
        index = bisect.bisect_right(view.ends, offset)
        while size > 0 and index < len(view.parts):
            part = view.parts[index]
            length = len(part) if isinstance(part, bytes) else part.size
            skip = offset - (view.ends[index] - length)
            count = min(size, length - skip)
            data = part[skip : skip + count] if isinstance(part, bytes) else b""
            if not isinstance(part, bytes):
                data = self._system(part.offset + skip, count)
            pieces.append(data)
            if len(data) < count:
                break
            offset, size, index = offset + count, size - count, index + 1
        data = b"".join(pieces)
        if self._size > view.size:
            data += bytes(min(asked - len(data), max(0, self._size - began - len(data))))
        return data

    def _system(self, offset: int, size: int) -> bytes:
        try:
            self._file.seek(offset)
            pieces = []
            while size > 0 and (data := self._file.read(size)):
                pieces.append(data)
                size -= len(data)
            return b"".join(pieces)
        except OSError as error:
            self.error = error
            return b""


def find(file: ViewFile, needle: bytes, start: int, stop: int) -> int:
    """Return the offset of the first ``needle`` in [start, stop), or -1."""
    keep = len(needle) - 1
    while start < stop:
        data = file.at(start, min(_WINDOW, stop - start))
        found = data.find(needle)
        if found >= 0:
            return start + found
        if len(data) <= keep or start + len(data) >= stop:
            return -1
        start += len(data) - keep
    return -1
