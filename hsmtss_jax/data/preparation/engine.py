"""Make a data set job by job: what a run has done, the next one finds, and goes on.

Until a set is complete its parts lie in a hidden folder beside it (``jobs``); then the set appears in one
move. A set that is there, made of the same, is left as it is.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hsmtss_jax.atomic import current_folder, replace_folder
from hsmtss_jax.data.preparation import storage
from hsmtss_jax.data.preparation.checks import LeftOut
from hsmtss_jax.data.preparation.jobs import Done, Task, cut, is_done, read_done, write_job
from hsmtss_jax.data.preparation.workers import Runner
from hsmtss_jax.data.records import (
    DatasetCard,
    describe_dataset,
    index_line,
    index_name,
    shard_name,
)
from hsmtss_jax.progress import Progress

REPORT = "report.json"


@dataclasses.dataclass(frozen=True)
class Plan:
    """Hold the jobs of a set: key -> split, and key -> number of items, in order."""

    work: str
    splits: Mapping[str, str]
    sizes: Mapping[str, int]

    @property
    def digest(self) -> str:
        """Return a name for all that the set is made of."""
        return hashlib.sha256("\n".join(self.splits).encode()).hexdigest()[:32]


def check_place(out: Path) -> None:
    """Check that nothing else than a data set is replaced. Raises FileExistsError."""
    if out.is_dir() and any(out.iterdir()) and not (out / "features.json").is_file():
        raise FileExistsError(f"{out} holds something else than a data set: name another folder")


def plan_jobs(
    task: Task, items: Iterable[tuple[str, Any]], out: Path, per_job: int, work: str = ""
) -> Plan:
    """Write what each job is to do.

    Args:
      task: makes the records.
      items: split and item, in order.
      out: the folder that is to be written.
      per_job: items of a file of records.
      work: folder or address of the parts, which every worker must reach [beside ``out``].

    Raises FileExistsError when ``out`` holds something else.
    """
    check_place(out)
    work = storage.join(work or working_folder(out))
    splits: dict[str, str] = {}
    sizes: dict[str, int] = {}
    for job in cut(items, per_job):
        key = write_job(work, task, job)
        splits[key], sizes[key] = job.split, len(job.items)
    return Plan(work, splits, sizes)


def working_folder(out: Path) -> Path:
    """Return the folder that holds the parts of a set until it is complete."""
    return out.with_name(f".{out.name}.preparing")


def made_before(plan: Plan, out: Path, retry: bool = False) -> dict[str, Any] | None:
    """Return the report of the set in ``out`` if it is what the plan makes, and delete the plan; else None.

    retry: only a set without damaged files will do.
    """
    path = current_folder(out) / REPORT
    if not path.is_file():
        return None
    told = json.loads(path.read_bytes())
    if told.get("made_of") != plan.digest or (retry and told.get("damaged")):
        return None
    storage.remove(plan.work)
    return dict(told)


def run_plan(
    task: Task,
    plan: Plan,
    runner: Runner,
    progress: Progress | None = None,
    *,
    retry: bool = False,
) -> list[Done]:
    """Do the jobs that no run before has done; return all, in order.

    Args:
      task: makes the records.
      plan: of the jobs.
      runner: does them.
      progress: takes items done and items in all.
      retry: do those with damaged files again.
    """
    todo = [key for key in plan.splits if not is_done(plan.work, key, retry)]
    total = sum(plan.sizes.values())
    done = total - sum(plan.sizes[key] for key in todo)
    for key in runner(task, plan.work, todo):
        done += plan.sizes[key]
        if progress:
            progress(done, total)
    return [read_done(plan.work, key, split) for key, split in plan.splits.items()]


def assemble(
    task: Task,
    plan: Plan,
    jobs: Sequence[Done],
    out: Path,
    card: DatasetCard,
    *,
    report: Mapping[str, Any],
    extra: Mapping[str, str],
) -> None:
    """Make the data set of the jobs' files, in one move; delete the parts.

    Args:
      task: whose records they are.
      plan: of the jobs.
      jobs: what they left; files without a record are left out.
      out: folder to write.
      card: name, licence and the like.
      report: for report.json.
      extra: further text files, name -> content.
    """
    splits = dict.fromkeys(done.split for done in jobs if done.count)
    with replace_folder(out) as folder:
        lengths = {}
        for split in splits:
            part = [done for done in jobs if done.split == split and done.count]
            lengths[split] = [done.count for done in part]
            _join(folder, card.name, split, part)
        describe_dataset(folder, card, task.fields, lengths)
        told = {"made_of": plan.digest, "damaged": _damaged(jobs), **report}
        for name, text in {REPORT: json.dumps(told, indent=1), **extra}.items():
            (folder / name).write_text(text, encoding="utf-8")
    storage.remove(plan.work)


def _damaged(jobs: Sequence[Done]) -> int:
    return sum(each.kind == "damaged" for done in jobs for each in done.left_out)


def _join(folder: Path, dataset: str, split: str, part: Sequence[Done]) -> None:
    """Give the files of a split their names and write its index."""
    with open(folder / index_name(split), "w", encoding="utf-8") as index:
        for number, done in enumerate(part):
            storage.fetch(done.path, folder / shard_name(dataset, split, number, len(part)))
            index.writelines(index_line(row) for row in done.rows())


def left_out_of(jobs: Iterable[Done]) -> list[LeftOut]:
    """Return what the jobs left out."""
    return [each for done in jobs for each in done.left_out]


def rows_of(jobs: Iterable[Done]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield split and index row of every record, reading one job at a time."""
    for done in jobs:
        for row in done.rows():
            yield done.split, row
