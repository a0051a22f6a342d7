"""Write a file through libsndfile with bytes of our own in it: tags and chunks that libsndfile lacks.

Legend: a position counts the encoder's bytes, a place those of the file.
"""

import io
import os
from typing import BinaryIO


class SplicedFile:
    """Write what an encoder gives, with ``new`` in place of its bytes from ``at`` to before ``end``.

    Errors do not leave ``write`` and ``seek``, since a C library calls them: ``error`` keeps the first.
    """

    def __init__(self, file: BinaryIO, at: int = 0, end: int = 0, new: bytes = b"") -> None:
        self._file, self._at, self._end, self._new = file, at, end, new
        self._position, self._size, self._placed = 0, 0, False
        self.error: BaseException | None = None

    def write(self, data: bytes) -> int:
        """Write at the position; return how many bytes were taken."""
        try:
            self._write(bytes(data))
        except BaseException as error:
            self.error = self.error or error
            return 0
        self._position += len(data)
        self._size = max(self._size, self._position)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def read(self, size: int) -> bytes:
        """Read nothing: encoders only write."""
        del size
        return b""

    def finish(self) -> None:
        """Place ``new`` where the encoder did not reach it, and raise the error that was kept."""
        if self.error is not None:
            raise self.error
        self._place()

    def _place(self) -> None:
        if self._new and not self._placed:
            self._file.seek(self._at)
            self._file.write(self._new)
        self._placed = True

    def _write(self, data: bytes) -> None:
        start, stop = self._position, self._position + len(data)
        if start < self._at:
            self._file.seek(start)
            self._file.write(data[: self._at - start])
        if stop > self._at:
            self._place()
        if stop > self._end:
            first = max(start, self._end)
            self._file.seek(first + len(self._new) - (self._end - self._at))
            self._file.write(data[first - start :])
