"""Score a separator before and after: on held-out recordings of the new sounds, and on the old data."""

import dataclasses
import itertools
from collections.abc import Iterator
from pathlib import Path

from hsmtss_jax.adaptation.sounds import HELD_OUT
from hsmtss_jax.config import DataConfig, SetConfig
from hsmtss_jax.data.drawn_mixtures import mixture_examples, recording_groups
from hsmtss_jax.data.mixing import MixtureExample
from hsmtss_jax.evaluation.separation import evaluate_separation
from hsmtss_jax.inference.separator import Separator
from hsmtss_jax.metrics.tables import Report, Row, Table

_DRAWN = 20  # mixtures drawn for each that is wanted, at most
_NAMES = {"baseline": "before", "mask": "after", "generate": "after"}


def compare(
    before: Separator, after: Separator, sets: tuple[Path, Path], pairs: int, samples: int
) -> Report:
    """Score both on mixtures with a held-out new sound in them, and on mixtures of old sounds.

    Args:
      before: as it was.
      after: as it is.
      sets: the new data set and the old one.
      pairs: mixtures of each kind, both tasks of each.
      samples: of a mixture, at 16 kHz.

    Raises ValueError when the old data has no validation split or no mixture can be drawn.
    """
    new, old = sets
    both = DataConfig(
        root="",
        sets=(SetConfig(root=str(new), name="new"), SetConfig(root=str(old), name="old")),
        augment=False,
    )
    drawn = mixture_examples(both, HELD_OUT, 0, _DRAWN * pairs, samples=samples)
    alone = DataConfig(root=str(old), augment=False)
    kinds = {
        "new sounds": (
            _with_new_sound(drawn, pairs),
            {**_groups(new, "new/"), **_groups(old, "old/")},
        ),
        "old sounds": (
            mixture_examples(alone, HELD_OUT, 0, pairs, samples=samples),
            recording_groups(str(old), HELD_OUT),
        ),
    }
    reports = {
        name: evaluate_separation(
            after, examples, modes=after.modes[:1], baseline=before, groups=groups
        )
        for name, (examples, groups) in kinds.items()
    }
    return _joined(reports)


def _with_new_sound(examples: Iterator[MixtureExample], count: int) -> Iterator[MixtureExample]:
    """Choose mixtures with a new sound, as what is kept or as what is taken away."""
    found = (
        each
        for each in examples
        if any(clip.startswith("new/") for clip in (each.recipe.target, each.recipe.other))
    )
    return itertools.islice(found, count)


def _groups(root: Path, prefix: str) -> dict[str, str]:
    found = recording_groups(str(root), HELD_OUT)
    return {f"{prefix}{name}": group for name, group in found.items()}


def _joined(reports: dict[str, Report]) -> Report:
    """Make one report: of each the table of both tasks, its rows called before and after."""
    tables = []
    for name, report in reports.items():
        table = next(table for table in report.tables if table.title == "all")
        rows = [_renamed(row) for row in table.rows]
        tables.append(Table(table.columns, rows, name, table.corner))
    first = next(iter(reports.values()))
    scores = {name: report.rows for name, report in reports.items()}
    return Report(tables, first.about, scores, first.notes)


def _renamed(row: Row) -> Row:
    """Name the rows by what they are here; differences to the mixture stay."""
    name = _NAMES.get(row.key, row.name)
    if row.name.endswith(" - baseline"):
        name = "after - before"
    return dataclasses.replace(row, name=name)
