"""Cut a preparation into jobs: a job makes one file of records, named by what it is made of.

    WORK/todo/KEY.json           what to do: split, number, items
    WORK/done/KEY.array_record   its records
    WORK/done/KEY.json           what the index says of each, and what was left out; written last

KEY is a digest of the items and of all that the records depend on, so whatever is done stays good however
the run ended, and a run with other settings finds nothing of it.
"""

import dataclasses
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from hsmtss_jax.atomic import replace_file, write_text
from hsmtss_jax.data.preparation.checks import LeftOut
from hsmtss_jax.data.records import Fields, Record, write_shard

LAYOUT = 1  # of records and jobs: another number makes everything anew


class Task(Protocol):
    """Make records of items. Picklable, and equal in every process."""

    @property
    def fields(self) -> Fields:
        """Return the kinds of a record's values."""

    def describe(self) -> dict[str, Any]:
        """Return what the records depend on beside the items, as plain JSON."""

    def records(self, items: Sequence[Any], left_out: list[LeftOut]) -> Iterator[Record]:
        """Yield the records of items; add what cannot be used to ``left_out``."""


@dataclasses.dataclass(frozen=True)
class Job:
    """Describe one file of records: its split, its place there, and its items as plain JSON."""

    split: str
    number: int
    items: tuple[Any, ...]


@dataclasses.dataclass(frozen=True)
class Done:
    """Name what a job left: its file of records, their number, and what was left out."""

    path: Path
    split: str
    count: int
    left_out: list[LeftOut]

    def rows(self) -> list[dict[str, Any]]:
        """Read what the index says of each record."""
        return list(json.loads(self.path.with_suffix(".json").read_bytes())["rows"])


def cut(items: Iterable[tuple[str, Any]], per_job: int) -> Iterator[Job]:
    """Yield jobs of ``per_job`` items of a split each, in order. items: split and item."""
    waiting: dict[str, list[Any]] = defaultdict(list)
    numbers: dict[str, int] = defaultdict(int)

    def job(split: str) -> Job:
        made = Job(split, numbers[split], tuple(waiting.pop(split)))
        numbers[split] += 1
        return made

    for split, item in items:
        waiting[split].append(item)
        if len(waiting[split]) == per_job:
            yield job(split)
    for split in sorted(waiting):
        yield job(split)


def key_of(task: Task, job: Job) -> str:
    """Return the name of a job's output."""
    told = [LAYOUT, type(task).__name__, task.describe(), dict(task.fields), job.items]
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    return f"{job.split}-{job.number:05d}-{digest[:20]}"


def write_job(work: Path, task: Task, job: Job) -> str:
    """Write what a job is to do; return its key."""
    key = key_of(task, job)
    path = work / "todo" / f"{key}.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(dataclasses.asdict(job), ensure_ascii=False))
    return key


def is_done(work: Path, key: str, retry: bool = False) -> bool:
    """Return whether a job has been done. retry: and could read every file it was given."""
    path = work / "done" / f"{key}.json"
    if not retry or not path.exists():
        return path.exists()
    left_out = json.loads(path.read_bytes())["left_out"]
    return not any(kind == "damaged" for _, _, kind, _ in left_out)


def do_job(task: Task, work: Path, key: str) -> int:
    """Do a job; return the number of its items."""
    items = json.loads((work / "todo" / f"{key}.json").read_bytes())["items"]
    done = work / "done"
    done.mkdir(parents=True, exist_ok=True)
    left_out: list[LeftOut] = []
    with replace_file(done / f"{key}.array_record") as path:
        rows = write_shard(path, task.records(items, left_out), task.fields)
    write_text(done / f"{key}.json", json.dumps({"rows": rows, "left_out": left_out}))
    return len(items)


def read_done(work: Path, key: str, split: str) -> Done:
    """Read what a job left."""
    path = work / "done" / f"{key}.json"
    told = json.loads(path.read_bytes())
    left_out = [LeftOut(*each) for each in told["left_out"]]
    return Done(path.with_suffix(".array_record"), split, len(told["rows"]), left_out)
