"""Prepare a published set: read its layout, sieve, make the records, report."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from hsmtss_jax.data.preparation.checks import LeftOut, Sieve, held_out_groups
from hsmtss_jax.data.preparation.clips import ClipForm, ClipTask
from hsmtss_jax.data.preparation.engine import (
    assemble,
    left_out_of,
    made_before,
    plan_jobs,
    rows_of,
    run_plan,
)
from hsmtss_jax.data.preparation.item import Item, Layout, Place, to_json
from hsmtss_jax.data.preparation.report import (
    Report,
    build_report,
    left_out_table,
    report_from_json,
)
from hsmtss_jax.data.preparation.workers import Runner, run_here
from hsmtss_jax.data.records import DatasetCard
from hsmtss_jax.progress import Progress

PER_JOB = 512  # clips: 164 MB of 10 s each, what an interrupted run loses at most per process
LEFT_OUT = "left_out.csv"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Preparation:
    """Say how to prepare a set.

    Attributes:
      layout: of the set.
      place: where its files are, and what of it to take.
      out: the folder to write.
      form: of the clips.
      held_out: prepared sets whose validation and test recordings must not be in training here.
      splits: those to write; empty: all.
      per_job: recordings of a file of records.
      work: folder or address of the parts of an unfinished set [beside ``out``].
      retry: read files again that were damaged in a run before.
    """

    layout: Layout
    place: Place
    out: Path
    form: ClipForm
    held_out: tuple[Path, ...] = ()
    splits: tuple[str, ...] = ()
    per_job: int = PER_JOB
    work: str = ""
    retry: bool = False


def prepare(
    preparation: Preparation, runner: Runner = run_here, progress: Progress | None = None
) -> Report:
    """Write a prepared set, or what is missing of it; return the report, which is in the folder too.

    Raises OSError or ValueError, in a line that says what to do, when the set's tables or all its files are
    missing, or nothing could be used.
    """
    layout, out = preparation.layout, preparation.out
    parts = layout.choose(preparation.place.parts)
    place = dataclasses.replace(preparation.place, parts=parts)
    sieve = Sieve(held_out_groups(preparation.held_out))
    listed: Counter[str] = Counter()
    items = sieve.pass_on(_counted(layout.read(place), listed, preparation.splits))
    task = ClipTask(place.where, preparation.form)
    usable = ((item.split, to_json(item)) for item in items)
    plan = plan_jobs(task, usable, out, preparation.per_job, preparation.work)
    if told := made_before(plan, out, preparation.retry):
        return report_from_json(told)
    jobs = run_plan(task, plan, runner, progress, retry=preparation.retry)
    left_out = [*sieve.left_out, *left_out_of(jobs)]
    if not any(done.count for done in jobs):
        raise ValueError(_nothing(layout, place, left_out))
    report = build_report(
        listed,
        rows_of(jobs),
        left_out,
        rate=preparation.form.rate,
        expected=layout.expected if parts == layout.choose(()) else {},
        paper=layout.paper,
    )
    card = DatasetCard(name=out.name, description=layout.title, licence=layout.licence)
    told = {"set": layout.name, "parts": parts, "form": task.describe(), **report.as_json()}
    extra = {LEFT_OUT: left_out_table(left_out)}
    assemble(task, plan, jobs, out, card, report=told, extra=extra)
    return report


def _counted(items: Iterable[Item], listed: Counter[str], splits: Sequence[str]) -> Iterator[Item]:
    for item in items:
        if not splits or item.split in splits:
            listed[item.split] += 1
            yield item


def _nothing(layout: Layout, place: Place, left_out: Sequence[LeftOut]) -> str:
    if not left_out:
        return f"{place.root} has nothing of {layout.name}: see data/{layout.name}/README.md"
    kinds = ", ".join(f"{n} {kind}" for kind, n in Counter(x.kind for x in left_out).items())
    first = left_out[0]
    return (
        f"no clip of {layout.name} in {place.root} could be used ({kinds}), "
        f"the first being {first.file}: {first.reason}"
    )
