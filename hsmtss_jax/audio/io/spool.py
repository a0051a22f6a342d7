"""Copy what can be read only once (pipes, standard input, open files) to a temporary file.

A pipe or the standard input is copied when it is first looked at, and that copy stands for it until the
process ends: several readings of one recording need the same bytes, and a length before the first of them.
"""

import contextlib
import os
import select
import shutil
import stat
import sys
import tempfile
import threading
import weakref
from pathlib import Path
from typing import Any, BinaryIO

from hsmtss_jax.atomic import working_path

STDIN = Path("/dev/stdin")
_LOCK = threading.Lock()
_PIPES: dict[tuple[int, int], "Spooled"] = {}
_STDIN: list[tuple[Any, "Spooled"]] = []  # the stream and its copy
_CHUNK = 1 << 20
_PATIENCE = 5.0  # seconds that somebody has to open the other end of a pipe


class Spooled:
    """Hold a temporary copy of a stream at ``path``; it is deleted with the object.

    The stream is read from its position to its end, and put back there where it can be; ``head`` was
    read of it before.
    """

    def __init__(self, stream: BinaryIO, suffix: str = "", head: bytes = b"") -> None:
        work = working_path(Path(tempfile.gettempdir(), "sound"))
        self.path = work.with_name(work.name + suffix)
        handle = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        self._finalizer = weakref.finalize(self, _remove, self.path)
        try:
            position = stream.tell() if stream.seekable() else None
            with os.fdopen(handle, "wb") as file:
                file.write(head)
                shutil.copyfileobj(stream, file, _CHUNK)
            if position is not None:
                stream.seek(position)
        except TypeError as error:
            self.close()
            raise ValueError("open the file in binary mode, 'rb'") from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Delete the copy."""
        self._finalizer()


def spool_stdin() -> Spooled:
    """Copy the standard input to its end, once.

    Raises:
      OSError: there is none, or it is a terminal.
    """
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None or stream.closed or stream.isatty():
        raise OSError("nothing is piped into the standard input")
    if not _STDIN or _STDIN[0][0] is not stream:
        _STDIN[:] = [(stream, Spooled(stream))]
    return _STDIN[0][1]


def local_path(path: Path) -> Path:
    """Return the file to read for a path: itself, or the copy of a pipe or of the standard input."""
    if path == STDIN:
        with _LOCK:
            return spool_stdin().path
    status = path.stat()
    if stat.S_ISREG(status.st_mode):
        return path
    key = (status.st_dev, status.st_ino)
    with _LOCK:
        if key not in _PIPES:
            handle, head = _open_pipe(path)
            with os.fdopen(handle, "rb") as stream:
                _PIPES[key] = Spooled(stream, path.suffix, head)
        return _PIPES[key].path


def _open_pipe(path: Path) -> tuple[int, bytes]:
    """Open a pipe to read; return its handle and what was read of it.

    Raises:
      OSError: nobody opens it to write within some seconds.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    head = b""
    try:
        if not select.select([handle], [], [], _PATIENCE)[0]:
            with contextlib.suppress(BlockingIOError):  # a writer that has not written yet
                head = os.read(handle, 1)
                if not head:
                    raise OSError("a pipe that nobody writes to")
        os.set_blocking(handle, True)
    except BaseException:
        os.close(handle)
        raise
    return handle, head


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
