"""Write files and folders so that a reader finds the old content or the new, never half of one.

What a process writes has a hidden name, which tells whose it is, until it is complete. Of a process that was
killed it is left over, and deleted by the next one that writes into the same folder.
"""

import contextlib
import functools
import os
import re
import secrets
import shutil
import socket
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

_WORK = re.compile(r"\..*\.hsmtss-([0-9a-f]{8})-(\d+)-(\d*)-[0-9a-f]{8}\.tmp(\.\w+)?", re.DOTALL)
_LONGEST = 100  # bytes of a hidden name that are the final one's


@contextlib.contextmanager
def replace_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary file in the folder of ``path``; renamed to it on success, removed on failure.

    Raises:
      OSError: it cannot be written; the error names ``path``, not the temporary file.
    """
    path = Path(path)
    work = working_path(path)
    try:
        os.close(os.open(work, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield work
        os.replace(work, path)
    except OSError as error:
        if error.filename == str(work):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        work.unlink(missing_ok=True)


@contextlib.contextmanager
def replace_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary folder beside ``path`` that takes its place on success; removed on failure.

    The former folder is kept as a backup until the new one stands: put back when the move fails, and found
    by ``current_folder`` should the process die between the two renames.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    work = working_path(path)
    work.mkdir()
    try:
        yield work
        _swap(work, path)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def working_path(path: Path) -> Path:
    """Return a hidden name beside ``path`` for what becomes it, after a sweep of the folder."""
    _sweep_once(os.path.realpath(path.parent))
    raw = os.fsencode(path.name.lstrip("."))[:_LONGEST]
    name = raw.decode(sys.getfilesystemencoding(), "ignore")
    pid = os.getpid()
    owner = f"{_machine()}-{pid}-{_began(pid)}-{secrets.token_hex(4)}"
    return path.with_name(f".{name}.hsmtss-{owner}.tmp")


def sweep(folder: str | os.PathLike[str]) -> list[Path]:
    """Delete the working files and folders that processes of this machine left when they were killed.

    Returns those that were deleted. What belongs to a process that is alive, or to another machine, stays.
    """
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    found = []
    for name in names:
        owner = _WORK.fullmatch(name)
        if owner is None or owner[1] != _machine() or _is_alive(int(owner[2]), owner[3]):
            continue
        path = Path(folder, name)
        with contextlib.suppress(OSError):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            found.append(path)
    return found


@functools.lru_cache(maxsize=1024)
def _sweep_once(folder: str) -> None:
    sweep(folder)


@functools.cache
def _machine() -> str:
    """Return a number for the machine and, of a container, the space in which process ids count."""
    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        space = ""
    return f"{zlib.crc32(f'{socket.gethostname()} {space}'.encode()):08x}"


def _began(pid: int) -> str:
    """Return when a process began [clock ticks], which tells it from others of its id; "" if unknown."""
    fields = _process_fields(pid)
    return fields[19] if len(fields) > 19 else ""


def _is_alive(pid: int, began: str) -> bool:
    fields = _process_fields(pid)
    if fields and fields[0] in "ZX":  # ended, its parent has not asked yet
        return False
    if began and fields:
        return _began(pid) == began
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _process_fields(pid: int) -> list[str]:
    """Return what Linux says of a process from its state on; [] elsewhere."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def current_folder(path: str | os.PathLike[str]) -> Path:
    """Return ``path``, or its backup where a writer died between its two renames."""
    path = Path(path)
    backup = _backup(path)
    return backup if backup.exists() and not path.exists() else path


def _swap(work: Path, path: Path) -> None:
    """Move ``work`` to ``path``."""
    backup = _backup(path)
    if path.exists():
        shutil.rmtree(backup, ignore_errors=True)
        os.rename(path, backup)
    try:
        os.rename(work, path)
    except OSError:
        if backup.exists():
            os.rename(backup, path)
        raise
    shutil.rmtree(backup, ignore_errors=True)


def _backup(path: Path) -> Path:
    return path.with_name(f".{path.name}.previous")


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file in one move."""
    with replace_file(path) as work:
        work.write_text(text, encoding="utf-8")
