"""Split validation data from the training split, by recording.

Near duplicates (a series, a speaker) stay on one side. Decided by hashes alone, so the same corpus
always gives the same split, and a corpus that lost a package keeps the split of the rest.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

SHARE = 0.06  # of a label's clips; at least a whole recording, which makes it about 0.09 in all
LARGEST = 0.2  # a label gives no group above this share of its clips

Row = Mapping[str, str]

_SPEAKER = re.compile(r"[a-z]{2}_[A-Z]{2}_[fm]_\w+")


def validation_files(rows: Sequence[Row]) -> set[str]:
    """Return the files of the training split that become the validation split."""
    train = [row for row in rows if row["split"] == "train"]
    group = dict(zip((row["file"] for row in train), recordings(train), strict=True))
    size: dict[str, int] = defaultdict(int)
    by_label: dict[str, set[str]] = defaultdict(set)
    for row in train:
        size[group[row["file"]]] += 1
        by_label[row["label"]].add(group[row["file"]])
    chosen: set[str] = set()
    for label in sorted(by_label):
        chosen |= _choose(sorted(by_label[label], key=_order), size, chosen)
    return {file for file, name in group.items() if name in chosen}


def recordings(rows: Sequence[Row]) -> list[str]:
    """Return the recording of each row: rows of one recording must be in one split.

    A rendered phrase is its own recording: the notes are random, but its sound font is also in
    training (the test split has another font). Composites belong to the series of their sources.
    """
    series = {(row["package"], row["source"]): row["group"] for row in rows}
    return [_recording(row, series) for row in rows]


def _recording(row: Row, series: Mapping[tuple[str, str], str]) -> str:
    if row["kind"] == "rendered":
        return f"rendered:{row['file']}"
    if row["kind"] == "composite":
        first = row["source"].split(";")[0]
        return series.get((row["package"], first), row["group"])
    speaker = _SPEAKER.search(row["group"]) if row["group"].startswith("speaker:") else None
    return f"speaker:{speaker.group()}" if speaker else row["group"]


def _order(name: str) -> str:
    return hashlib.sha256(f"validation:{name}".encode()).hexdigest()


def _choose(groups: list[str], size: Mapping[str, int], taken: set[str]) -> set[str]:
    """Choose groups of one label, in order, until the share is reached; none from a label with one group."""
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
