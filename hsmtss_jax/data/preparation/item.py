"""Describe recordings as the tables of a published set do, before any sound is read."""

import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

Long = Literal["whole", "pieces", "start", "random"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Describe one recording, or a segment of one.

    Attributes:
      id: of the clip, unique in the set.
      split: train, validation or test.
      path: the file, below the folder of sounds; of a file that is not there, where it should be.
      found: whether the file is there.
      captions: what is heard, the set's own words first.
      label: its class.
      tags: from category to event.
      events: the tags that say what is heard; empty: all of them.
      licence: of the recording.
      source: where it comes from.
      group: the recording: clips of one group, in any set, may hold the same sound ("youtube:ID").
      start, stop: the segment of the file [s]; stop 0: its end.
    """

    id: str
    split: str
    path: str
    found: bool = True
    captions: tuple[str, ...] = ()
    label: str = ""
    tags: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    licence: str = ""
    source: str = ""
    group: str = ""
    start: float = 0.0
    stop: float = 0.0


def to_json(item: Item) -> dict[str, Any]:
    """Return the fields that differ from their defaults, as plain JSON."""
    return {
        field.name: value
        for field in dataclasses.fields(item)
        if (value := getattr(item, field.name)) != field.default
    }


def from_json(row: Mapping[str, Any]) -> Item:
    """Return the item that ``to_json`` wrote."""
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
    return Item(**values)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Place:
    """Say what to read.

    Attributes:
      root: the set's folder, with its tables.
      parts: of it that are wanted; empty: the layout's choice.
      table: of one's own.
      sounds: folder or address of the sound files, where it is not ``root``.
    """

    root: Path
    parts: tuple[str, ...] = ()
    table: Path | None = None
    sounds: str = ""

    @property
    def where(self) -> str:
        """Return the folder or the address that items' paths are below."""
        return self.sounds if "://" in self.sounds else os.path.abspath(self.sounds or self.root)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layout:
    """Describe a published set and how it is read.

    Attributes:
      name: of the folder in data/ and of the command's argument.
      title: a line about it.
      read: gives the recordings that its tables list, whether their files are there or not. Raises
        OSError or ValueError, in a line that says what to do, where a table is missing or another one.
      licence: of the set as a whole.
      parts: what can be chosen of it; the first ``chosen`` of them are, unless one says otherwise.
      chosen: how many parts are read by default; 0: all.
      expected: split or part -> recordings that the official tables list.
      paper: split or part -> recordings that HSM-TSS section IV-A says it used.
      long: what becomes of recordings longer than ``seconds``.
      seconds: of a clip.
    """

    name: str
    title: str
    read: Callable[[Place], Iterator[Item]]
    licence: str
    parts: tuple[str, ...] = ()
    chosen: int = 0
    expected: Mapping[str, int] = dataclasses.field(default_factory=dict)
    paper: Mapping[str, int] = dataclasses.field(default_factory=dict)
    long: Long = "whole"
    seconds: float = 10.0

    def choose(self, wanted: tuple[str, ...]) -> tuple[str, ...]:
        """Return the parts to read. Raises ValueError for one that the set does not have."""
        if unknown := [part for part in wanted if part not in self.parts]:
            has = ", ".join(self.parts) or "none"
            raise ValueError(f"{self.name} has no part {unknown[0]!r}: its parts are {has}")
        return wanted or self.parts[: self.chosen or None]
