"""Give the clips of a prepared set unified tags, in its index: that is what pairs are drawn by.

Unified tags are added to the set's own, which keep apart what only that set knows to be alike. The own ones
alone are in the fields ``own_tags`` and ``own_events`` of the index, and in the records.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hsmtss_jax.atomic import write_text
from hsmtss_jax.data.records import index_line, index_name, read_index
from hsmtss_jax.data.tagging.rules import Tags

Tagger = Callable[[Sequence[str]], Tags]


def texts_of(row: dict[str, Any]) -> list[str]:
    """Return what describes a clip: its captions and its label."""
    return list(dict.fromkeys([*row["captions"], *([row["label"]] if row["label"] else [])]))


def splits_of(root: Path) -> list[str]:
    """Return the splits of a set. Raises OSError when it is not prepared."""
    begin, end = index_name("*").split("*")
    found = [path.name[len(begin) : -len(end)] for path in sorted(root.glob(index_name("*")))]
    if not found:
        raise FileNotFoundError(f"no prepared data set in {root}: run hsmtss data prepare first")
    return found


def tag_dataset(root: Path, tagger: Tagger) -> dict[str, list[str]]:
    """Add unified tags to the index, and write them all to tags.json; return them by clip."""
    every: dict[str, list[str]] = {}
    for split in splits_of(root):
        rows = read_index(root, split)
        for row in rows:
            row.setdefault("own_tags", row["tags"])
            row.setdefault("own_events", row.get("events", row["tags"]))
            tags = tagger(texts_of(row))
            row["tags"] = sorted(tags.tags.union(row["own_tags"]))
            row["events"] = sorted(tags.events.union(row["own_events"]))
            every[row["id"]] = row["tags"]
        write_text(root / index_name(split), "".join(map(index_line, rows)))
    write_text(root / "tags.json", json.dumps(every, ensure_ascii=False, indent=0))
    return every
