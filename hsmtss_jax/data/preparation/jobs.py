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
from typing import Any, Protocol

from hsmtss_jax.data.preparation import storage
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

    path: str
    split: str
    count: int
    left_out: list[LeftOut]

    def rows(self) -> list[dict[str, Any]]:
        """Read what the index says of each record."""
        return list(json.loads(storage.read_bytes(told_of(self.path)))["rows"])


def told_of(path: str) -> str:
    """Return the file that says what is in a file of records."""
    return path.removesuffix(".array_record") + ".json"


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


def write_job(work: str, task: Task, job: Job) -> str:
    """Write what a job is to do; return its key. work: a folder or an address."""
    key = key_of(task, job)
    path = storage.join(work, "todo", f"{key}.json")
    if not storage.exists(path):
        storage.write_text(path, json.dumps(dataclasses.asdict(job), ensure_ascii=False))
    return key


def is_done(work: str, key: str, retry: bool = False) -> bool:
    """Return whether a job has been done. retry: and could read every file it was given."""
    path = storage.join(work, "done", f"{key}.json")
    if not storage.exists(path):
        return False
    return not retry or not any(
        each.kind == "damaged" for each in read_done(work, key, "").left_out
    )


def do_job(task: Task, work: str, key: str) -> str:
    """Do a job; return its key."""
    items = json.loads(storage.read_bytes(storage.join(work, "todo", f"{key}.json")))["items"]
    records = storage.join(work, "done", f"{key}.array_record")
    left_out: list[LeftOut] = []
    with storage.writing(records) as path:
        rows = write_shard(path, task.records(items, left_out), task.fields)
    storage.write_text(told_of(records), json.dumps({"rows": rows, "left_out": left_out}))
    return key


def read_done(work: str, key: str, split: str) -> Done:
    """Read what a job left."""
    path = storage.join(work, "done", f"{key}.array_record")
    told = json.loads(storage.read_bytes(told_of(path)))
    left_out = [LeftOut(*each) for each in told["left_out"]]
    return Done(path, split, len(told["rows"]), left_out)
