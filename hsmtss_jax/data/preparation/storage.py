"""Read and write files by path or by address: local ones, and those of object stores (gs://, s3://).

fsspec does the latter. A file appears whole or not at all. Libraries that need a local file get a copy,
which is deleted behind them.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hsmtss_jax.atomic import replace_file


def is_remote(path: str) -> bool:
    """Return whether a path is an address."""
    return "://" in path


def join(folder: str | Path, *names: str) -> str:
    """Return the path of a file below a folder."""
    return "/".join([str(folder).rstrip("/"), *names])


def _open(path: str) -> tuple[Any, str]:
    """Return the file system of an address, and the path there. Raises ValueError without its package."""
    import fsspec

    try:
        system, inner = fsspec.core.url_to_fs(path)
    except ImportError as error:
        raise ValueError(f"{path}: {error}") from error
    return system, inner


def exists(path: str) -> bool:
    """Return whether there is such a file."""
    if not is_remote(path):
        return os.path.exists(path)
    system, inner = _open(path)
    return bool(system.exists(inner))


def read_bytes(path: str) -> bytes:
    """Read a file whole."""
    if not is_remote(path):
        return Path(path).read_bytes()
    system, inner = _open(path)
    return bytes(system.cat_file(inner))


def write_text(path: str, text: str) -> None:
    """Write a text file."""
    with writing(path) as local:
        local.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def reading(path: str) -> Iterator[Path]:
    """Give a local file with a file's content. Raises OSError when there is none."""
    if not is_remote(path):
        yield Path(path)
        return
    system, inner = _open(path)
    with tempfile.TemporaryDirectory() as folder:
        local = Path(folder, inner.rpartition("/")[2])
        system.get_file(inner, str(local))
        yield local


@contextlib.contextmanager
def writing(path: str) -> Iterator[Path]:
    """Give a local file that becomes ``path`` when it is complete."""
    if not is_remote(path):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with replace_file(path) as local:
            yield local
        return
    system, inner = _open(path)
    with tempfile.TemporaryDirectory() as folder:
        local = Path(folder, inner.rpartition("/")[2])
        yield local
        system.makedirs(inner.rpartition("/")[0], exist_ok=True)
        system.put_file(str(local), inner)


def fetch(path: str, target: Path) -> None:
    """Give a file a second, local name, or copy it where that cannot be."""
    if is_remote(path):
        system, inner = _open(path)
        system.get_file(inner, str(target))
        return
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)


def find(folder: str) -> Iterator[str]:
    """Yield the paths of all files below an address, relative to it, in order."""
    system, inner = _open(folder)
    begin = len(inner.rstrip("/")) + 1
    yield from (path[begin:] for path in sorted(system.find(inner)))


def remove(folder: str) -> None:
    """Delete a folder with what it holds; what cannot be deleted stays."""
    if not is_remote(folder):
        shutil.rmtree(folder, ignore_errors=True)
        return
    system, inner = _open(folder)
    with contextlib.suppress(OSError):
        system.rm(inner, recursive=True)
