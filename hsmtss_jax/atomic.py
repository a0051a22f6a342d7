"""Write files and folders so that a reader finds the old content or the new, never half of one."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replace_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path in the folder of ``path``; renamed to it on success, removed on failure."""
    path = Path(path)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    os.close(handle)
    os.chmod(name, 0o666 & ~_umask())
    try:
        yield Path(name)
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


@contextlib.contextmanager
def replace_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary folder beside ``path`` that takes its place on success; removed on failure.

    The former folder is kept as a backup until the new one stands: put back when the move fails, and found
    by ``current_folder`` should the process die between the two renames.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent))
    os.chmod(work, 0o777 & ~_umask())
    try:
        yield work
        _swap(work, path)
    finally:
        shutil.rmtree(work, ignore_errors=True)


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


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
