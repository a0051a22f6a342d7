"""One run, one owner: a lock on a workdir, which ends with the process that holds it."""

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hsmtss_jax.train.interrupt import TryAgainError

try:
    import fcntl
except ImportError:  # Windows: only the age of the file tells
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"
BEAT = 20.0  # seconds between two signs of life
SILENT = 180.0  # seconds without one, after which another machine's lock counts for nothing


@contextlib.contextmanager
def lock_workdir(workdir: str | Path, beat: float = BEAT, silent: float = SILENT) -> Iterator[None]:
    """Hold the lock of a workdir; of a process that died it is taken over.

    On one machine the system frees it with the process. Over machines that share a disk a file tells, which
    the owner touches every ``beat`` seconds: one that was not touched for ``silent`` seconds is stale.

    Raises:
      TryAgainError: somebody else trains there; the text says who.
    """
    path = Path(workdir) / LOCK
    path.parent.mkdir(parents=True, exist_ok=True)
    opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _take(opened, path, silent)
        stop = threading.Event()
        thread = threading.Thread(target=_beat, args=(path, beat, stop), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            os.truncate(opened, 0)
    finally:
        os.close(opened)


def owner(workdir: str | Path, silent: float = SILENT) -> str | None:
    """Return who trains in a workdir, None where nobody does."""
    path = Path(workdir) / LOCK
    try:
        opened = os.open(path, os.O_RDWR)
    except OSError:
        return None
    try:
        _take(opened, path, silent, write=False)
    except TryAgainError:
        return _describe(_read(path))
    finally:
        os.close(opened)
    return None


def _take(opened: int, path: Path, silent: float, write: bool = True) -> None:
    known = _read(path)
    free = True
    if fcntl is not None:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            free = False
        except OSError:  # a disk without locks
            free = known.get("host") != socket.gethostname() or _age(path) > silent
    elsewhere = known.get("host") not in (None, socket.gethostname())
    if not free or (elsewhere and _age(path) < silent):
        hint = f", or wait {silent:.0f} s if it is gone" if elsewhere else ""
        raise TryAgainError(
            f"{path.parent} is being trained by {_describe(_read(path))}: stop that one or choose another "
            f"--workdir{hint}"
        )
    if write:
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        text = json.dumps({"host": socket.gethostname(), "pid": os.getpid(), "since": now})
        os.truncate(opened, 0)
        os.pwrite(opened, text.encode(), 0)


def _beat(path: Path, beat: float, stop: threading.Event) -> None:
    while not stop.wait(beat):
        with contextlib.suppress(OSError):
            os.utime(path)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _describe(known: dict[str, Any]) -> str:
    if "pid" not in known:
        return "another process"
    return f"process {known['pid']} on {known.get('host')} since {known.get('since')}"


def _age(path: Path) -> float:
    return time.time() - path.stat().st_mtime
