"""Access the clips of a prepared data set: their metadata, and their audio on demand."""

import dataclasses
import os
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import overload

import numpy as np

from hsmtss_jax.data.index_rows import Row, open_index
from hsmtss_jax.data.records import RecordReader

FULL_SCALE = 32768.0
RECENT = 256  # clips kept of what was read of the index
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


def to_float(samples: np.ndarray) -> np.ndarray:
    """Convert int16 samples to float32 in [-1, 1)."""
    floats = samples.astype(np.float32)
    floats *= np.float32(1 / FULL_SCALE)
    return floats


@dataclasses.dataclass(frozen=True)
class Part:
    """Name the clips of one data set in a source, ``start`` to ``stop``, and their share of the examples."""

    start: int
    stop: int
    weight: float


class ClipSource:
    """Access the clips of a split by index. Picklable.

    Args:
      root: the data set.
      split: name of the split.
      chosen: records to keep, given all rows of the index; None keeps them all.
      prefix: comes before the clips' ids.

    Raises:
      OSError: the data set is not prepared.
      ValueError: a field is missing, or the index does not match the records.
    """

    def __init__(
        self,
        root: str | os.PathLike,
        split: str,
        *,
        chosen: Callable[[Sequence[Row]], np.ndarray] | None = None,
        prefix: str = "",
    ) -> None:
        rows = open_index(root, split)
        if not rows:
            raise OSError(f"split {split!r} of {root} is empty")
        if missing := [name for name in _NEEDED if name not in rows[0]]:
            known = {"samples": "audio"}  # of which the index keeps the length
            named = ", ".join(known.get(name, name) for name in missing)
            raise ValueError(f"the data set {root} has no field {named}: prepare it again with it")
        self._reader = RecordReader(root, split)
        if len(self._reader) != len(rows):
            raise ValueError(
                f"split {split!r} of {root} has {len(self._reader)} records, its index {len(rows)}: "
                "prepare it again"
            )
        self._records = np.arange(len(rows)) if chosen is None else chosen(rows)
        if not len(self._records):
            raise ValueError(f"no clip of split {split!r} of {root} is in the subset")
        self.clips: Sequence[Clip] = _Clips(rows, self._records, prefix)

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def parts(self) -> Sequence[Part]:
        """Return the data sets that are drawn from, with their shares of the examples."""
        return (Part(0, len(self), 1.0),)

    def audio(self, index: int) -> np.ndarray:
        """Return the samples of clip ``index``, float32 [samples] in [-1, 1)."""
        return to_float(self.samples(index))

    def samples(self, index: int) -> np.ndarray:
        """Return the samples of clip ``index`` as they are on disk, int16 [samples]."""
        return self._reader.read(int(self._records[index]), _AUDIO)["audio"]

    def texts(self) -> list[str]:
        """Return every caption once, sorted."""
        return sorted({text for clip in self.clips for text in clip.captions})


class _Clips(Sequence[Clip]):
    """Read clips by number when they are asked for; a few are kept, for whoever asks again."""

    def __init__(self, rows: Sequence[Row], records: np.ndarray, prefix: str) -> None:
        self._rows, self._records, self._prefix = rows, records, prefix
        self._recent: dict[int, Clip] = {}

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, index: int) -> Clip: ...
    @overload
    def __getitem__(self, index: slice) -> list[Clip]: ...
    def __getitem__(self, index: int | slice) -> Clip | list[Clip]:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        found = self._recent.get(index)
        if found is None:
            found = _clip(self._rows[int(self._records[index])], self._prefix)
            if len(self._recent) >= RECENT:
                self._recent = {}
            self._recent[index] = found
        return found


def _clip(row: Row, prefix: str) -> Clip:
    tags = frozenset(row["tags"])
    return Clip(
        id=prefix + row["id"],
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


def balanced_epoch(clips: Iterable[Clip], balance: float, most: int = 8) -> list[int]:
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


def label_cycle(clips: Iterable[Clip]) -> list[int]:
    """Return all clip indices, one of each label in turn, labels in a fixed shuffled order.

    Any prefix covers the labels evenly.
    """
    by_hash = sorted(by_label(clips).items(), key=lambda item: zlib.crc32(item[0].encode()))
    groups = [group for _, group in by_hash]
    longest = max(len(group) for group in groups)
    return [group[k] for k in range(longest) for group in groups if k < len(group)]
