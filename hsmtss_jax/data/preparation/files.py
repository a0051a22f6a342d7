"""Find the files of a set, whatever folders an archive or a downloader put them into."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

from hsmtss_jax.data.preparation import storage

AUDIO = frozenset(
    {
        *(".wav", ".flac", ".mp3", ".ogg", ".opus", ".oga", ".m4a", ".mp4", ".aac", ".webm"),
        *(".mkv", ".aif", ".aiff", ".wma", ".w64", ".caf"),
    }
)


class Found(TypedDict):
    """Say where an item's file is, or where it should be."""

    path: str
    found: bool


def walk(root: str) -> Iterator[str]:
    """Yield the paths of all audio files below ``root``, relative to it, in order of their names.

    Raises FileNotFoundError when there is no such folder.
    """
    if storage.is_remote(root):
        yield from (path for path in storage.find(root) if _is_audio(path))
        return
    if not os.path.isdir(root):
        raise FileNotFoundError(f"no folder {root}")
    yield from _walk(Path(root), "")


def _is_audio(path: str) -> bool:
    return os.path.splitext(path)[1].lower() in AUDIO


def _walk(root: Path, below: str) -> Iterator[str]:
    with os.scandir(root / below) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        path = f"{below}/{entry.name}" if below else entry.name
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walk(root, path)
        elif _is_audio(entry.name):
            yield path


class FileIndex:
    """Find audio files below a folder by their names without extension."""

    def __init__(self, root: str) -> None:
        self._paths: dict[str, str | tuple[str, ...]] = {}
        for path in walk(root):
            stem = os.path.splitext(os.path.basename(path))[0]
            before = self._of(stem)
            self._paths[stem] = (*before, path) if before else path  # a name of one file is a text

    def __len__(self) -> int:
        return len(self._paths)

    def has(self, path: str) -> bool:
        """Return whether there is a file of exactly this path."""
        return path in self._of(os.path.splitext(os.path.basename(path))[0])

    def _of(self, stem: str) -> tuple[str, ...]:
        paths = self._paths.get(stem, ())
        return (paths,) if isinstance(paths, str) else paths

    def find(self, *stems: str, below: str = "") -> Found:
        """Return the first file of one of these names that has the folder ``below`` above it.

        The folder's name may be a part of the one on disk ("dev" finds FSD50K.dev_audio).
        """
        for stem in stems:
            for path in self._of(stem):
                if not below or below in path.rpartition("/")[0]:
                    return {"path": path, "found": True}
        return {"path": f"{below}/{stems[0]}" if below else stems[0], "found": False}


def table(root: Path, *names: str) -> Path:
    """Return the first of these files that is in ``root`` or in a folder of it, two levels down at most.

    Raises FileNotFoundError when none is.
    """
    for name in names:
        for pattern in (name, f"*/{name}", f"*/*/{name}"):
            if found := sorted(root.glob(pattern)):
                return found[0]
    raise FileNotFoundError(f"{root} has no {' or '.join(names)}: see the set's README")
