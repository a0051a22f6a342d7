"""Access the clips of a prepared data set: their metadata, and their audio on demand."""

import dataclasses
import os
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from hsmtss_jax.data.records import RecordReader, read_index

FULL_SCALE = 32768.0
_AUDIO = frozenset({"audio"})
_NEEDED = ("id", "captions", "label", "tags", "samples")


@dataclasses.dataclass(frozen=True)
class Clip:
    """Describe one recording. tags: event and its categories; events: tags that name the sound itself."""

    id: str
    captions: tuple[str, ...]  # the first is the data set's own
    label: str
    tags: frozenset[str]
    events: frozenset[str]
    samples: int
    licence: str = ""


def overlaps(a: Clip, b: Clip) -> bool:
    """Return whether an event of one clip is an event or a category of the other.

    Such clips must not be mixed (HSM-TSS section IV-A: tag sets of a pair do not intersect).
    """
    return bool(a.events & b.tags or b.events & a.tags)


class ClipSource:
    """Access the clips of a split by index. Picklable.

    Raises:
      OSError: the data set is not prepared.
      ValueError: a field is missing, or the index does not match the records.
    """

    def __init__(self, root: str | os.PathLike, split: str) -> None:
        rows = read_index(root, split)
        if not rows:
            raise OSError(f"split {split!r} of {root} is empty")
        if missing := [name for name in _NEEDED if name not in rows[0]]:
            known = {"samples": "audio"}  # of which the index keeps the length
            named = ", ".join(known.get(name, name) for name in missing)
            raise ValueError(f"the data set {root} has no field {named}: prepare it again with it")
        self.clips = [_clip(row) for row in rows]
        self._reader = RecordReader(root, split)
        if len(self._reader) != len(rows):
            raise ValueError(
                f"split {split!r} of {root} has {len(self._reader)} records, its index {len(rows)}: "
                "prepare it again"
            )

    def __len__(self) -> int:
        return len(self.clips)

    def audio(self, index: int) -> np.ndarray:
        """Return the samples of clip ``index``, float32 [samples] in [-1, 1)."""
        return self._reader.read(index, _AUDIO)["audio"].astype(np.float32) / np.float32(FULL_SCALE)

    def texts(self) -> list[str]:
        """Return every caption once, sorted."""
        return sorted({text for clip in self.clips for text in clip.captions})


def _clip(row: Mapping[str, Any]) -> Clip:
    tags = frozenset(row["tags"])
    return Clip(
        id=row["id"],
        captions=tuple(row["captions"]),
        label=row["label"],
        tags=tags,
        events=frozenset(row.get("events") or tags),
        samples=row["samples"],
        licence=row.get("licence", ""),
    )


def by_label(clips: Iterable[Clip]) -> dict[str, list[int]]:
    """Return label -> indices of its clips, labels sorted."""
    groups: dict[str, list[int]] = {}
    for i, clip in enumerate(clips):
        groups.setdefault(clip.label, []).append(i)
    return dict(sorted(groups.items()))


def balanced_epoch(clips: list[Clip], balance: float, most: int = 8) -> list[int]:
    """Return an epoch's clip indices: each clip at least once, those of rare labels up to ``most`` times.

    The share of a label with n clips grows like n ** (1 - balance): 0 keeps the data's proportions, 1 aims
    at equal shares.
    """
    groups = by_label(clips)
    largest = max(len(group) for group in groups.values())
    epoch = []
    for group in groups.values():
        times = min(most, round((largest / len(group)) ** balance))
        epoch += group * max(1, times)
    return epoch


def label_cycle(clips: list[Clip]) -> list[int]:
    """Return all clip indices, one of each label in turn, labels in a fixed shuffled order.

    Any prefix covers the labels evenly.
    """
    by_hash = sorted(by_label(clips).items(), key=lambda item: zlib.crc32(item[0].encode()))
    groups = [group for _, group in by_hash]
    longest = max(len(group) for group in groups)
    return [group[k] for k in range(longest) for group in groups if k < len(group)]
