"""Read the index of a split row by row from the file, so that memory does not grow with its fields."""

import json
import mmap
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np

from hsmtss_jax.atomic import current_folder
from hsmtss_jax.data.records import read_index

Row = Mapping[str, Any]


class JsonLines(Sequence[Row]):
    """Read the objects of a jsonl file by number. Picklable; 8 bytes of memory a row.

    Raises:
      OSError: no such file.
      ValueError: when a damaged row is read; names it.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(path)
        self._text = _map(self.path)
        ends = np.flatnonzero(np.frombuffer(self._text, np.uint8) == ord("\n")) + 1
        if len(self._text) > (ends[-1] if len(ends) else 0):  # no line break behind the last row
            ends = np.append(ends, len(self._text))
        self._edges = np.concatenate([[0], ends]).astype(np.int64)

    def __len__(self) -> int:
        return len(self._edges) - 1

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        number = range(len(self))[index]
        try:
            return dict(json.loads(self._text[self._edges[number] : self._edges[number + 1]]))
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"{self.path} is damaged in line {number + 1}: make it again"
            ) from error

    def __iter__(self) -> Iterator[Row]:
        return (self[i] for i in range(len(self)))

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "_edges": self._edges}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._text = _map(self.path)


def _map(path: Path) -> mmap.mmap | bytes:
    with open(path, "rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return b""
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def open_index(root: str | os.PathLike, split: str) -> Sequence[Row]:
    """Open the index of a split: every record's fields without audio and features, in order.

    A data set that other tools wrote has no index file; its records are read through, once.

    Raises:
      OSError: no such data set or split.
      ValueError: it is damaged.
    """
    path = current_folder(root) / f"index-{split}.jsonl"
    return JsonLines(path) if path.is_file() else read_index(root, split)
