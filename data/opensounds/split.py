"""Split by recording: what belongs to one recording, by name or by fingerprint, is in one split.

Validation is decided by hashes alone, so the same corpus always gives the same split, and a corpus that
lost a package keeps the split of the rest. A test clip whose recording is also elsewhere is dropped:
training material never moves into the test split.
"""

import dataclasses
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from hsmtss_jax.data.fingerprint import Match

SHARE = 0.06  # of a label's clips; at least a whole recording, which makes it about 0.09 in all
LARGEST = 0.2  # a label gives no group above this share of its clips

Row = Mapping[str, str]

_SPEAKER = re.compile(r"[a-z]{2}_[A-Z]{2}_[fm]_\w+")


@dataclasses.dataclass(frozen=True)
class Splits:
    """Hold the row numbers of each split, and of test clips to leave out: number -> reason."""

    parts: Mapping[str, list[int]]
    dropped: Mapping[int, str]


def recordings(rows: Sequence[Row], matches: Sequence[Match] = ()) -> list[str]:
    """Return the recording of each row; near duplicates (``matches``, by row number) are one recording.

    A speaker is one recording, so is a sound font's instrument, and a composite with its sources.
    """
    joined = _Joined()
    names = [_name(row) for row in rows]
    by_package: dict[str, dict[str, str]] = defaultdict(dict)
    for row, name in zip(rows, names, strict=True):
        if row["kind"] != "composite":
            by_package[row["package"]][row["source"]] = name
    for i, row in enumerate(rows):
        if row["kind"] == "composite":
            sources = _sources(row, by_package[row["package"]])
            names[i] = f"{row['group']}:{row['split']}" if sources else row["group"]
            for source in sources:
                joined.join(names[i], source)
    for match in matches:
        joined.join(names[match.first], names[match.second])
    return [joined.first(name) for name in names]


def _name(row: Row) -> str:
    speaker = _SPEAKER.search(row["group"]) if row["group"].startswith("speaker:") else None
    return f"speaker:{speaker.group()}" if speaker else row["group"]


def _sources(row: Row, known: Mapping[str, str]) -> set[str]:
    """Return the recordings a composite is made of, as far as they are clips themselves."""
    paths = row["source"].split(";")  # the table cuts a long list short
    return {known[path] for path in paths if path in known}


class _Joined:
    """Keep sets of names that belong together."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def first(self, name: str) -> str:
        """Return the alphabetically first name of a set."""
        while (up := self._parent.get(name, name)) != name:
            name = up
        return name

    def join(self, a: str, b: str) -> None:
        low, high = sorted((self.first(a), self.first(b)))
        self._parent[high] = low


def split_rows(rows: Sequence[Row], recording: Sequence[str]) -> Splits:
    """Split rows into train, validation and test. recording: of each row."""
    where: dict[str, set[str]] = defaultdict(set)
    for row, name in zip(rows, recording, strict=True):
        where[name].add(row["split"])
    rest = [i for i, row in enumerate(rows) if row["split"] != "test"]
    given = {recording[i] for i in rest if rows[i]["split"] == "validation"}
    chosen = given | _validation([(rows[i]["label"], recording[i]) for i in rest], given)
    parts: dict[str, list[int]] = {"train": [], "validation": [], "test": []}
    dropped: dict[int, str] = {}
    for i, row in enumerate(rows):
        if row["split"] != "test":
            parts["validation" if recording[i] in chosen else "train"].append(i)
        elif where[recording[i]] == {"test"}:
            parts["test"].append(i)
        else:
            dropped[i] = f"leaks: its recording {recording[i]} is also in training"
    return Splits(parts, dropped)


def _validation(clips: Sequence[tuple[str, str]], given: set[str]) -> set[str]:
    """Choose the recordings for validation. clips: label and recording of each."""
    size = Counter(name for _, name in clips)
    by_label: dict[str, set[str]] = defaultdict(set)
    for label, name in clips:
        by_label[label].add(name)
    chosen = set(given)
    for label in sorted(by_label):
        chosen |= _choose(sorted(by_label[label], key=_order), size, chosen)
    return chosen


def _order(name: str) -> str:
    return hashlib.sha256(f"validation:{name}".encode()).hexdigest()


def _choose(groups: list[str], size: Mapping[str, int], taken: set[str]) -> set[str]:
    """Choose recordings of one label, in order, until the share is reached; none of fewer than three."""
    total = sum(size[name] for name in groups)
    have = sum(size[name] for name in groups if name in taken)
    chosen: set[str] = set()
    for name in groups:
        if len(groups) < 3 or have >= SHARE * total:
            break
        if name not in taken and have + size[name] <= max(1, LARGEST * total):
            chosen.add(name)
            have += size[name]
    return chosen
