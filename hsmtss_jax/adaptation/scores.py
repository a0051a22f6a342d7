"""Score a separator before and after: on held-out recordings of the new sounds, and on the old data."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from hsmtss_jax.adaptation.sounds import HELD_OUT
from hsmtss_jax.config import DataConfig, SetConfig
from hsmtss_jax.data.drawn_mixtures import mixture_examples, mixtures_of, recording_groups
from hsmtss_jax.data.mixing import MixtureExample
from hsmtss_jax.data.records import read_index
from hsmtss_jax.evaluation.separation import evaluate_separation
from hsmtss_jax.inference.separator import Separator
from hsmtss_jax.metrics.tables import Report, Row, Table

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
    alone = DataConfig(root=str(old), augment=False)
    kinds = {
        "new sounds": (
            _with_new_sound(both, len(read_index(new, HELD_OUT)), pairs, samples),
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


def _with_new_sound(
    config: DataConfig, clips: int, count: int, samples: int
) -> Iterator[MixtureExample]:
    """Yield mixtures of the first clips, round and round: every other one has it as what is taken away."""
    for number in range(count):
        turn, target = divmod(number, clips)
        (example,) = mixtures_of(config, HELD_OUT, turn, [target], samples=samples)
        yield swapped(example) if (turn + target) % 2 else example


def swapped(example: MixtureExample) -> MixtureExample:
    """Return a mixture with its target and its other sound in each other's place."""
    recipe = dataclasses.replace(
        example.recipe,
        target=example.recipe.other,
        other=example.recipe.target,
        target_placement=example.recipe.other_placement,
        other_placement=example.recipe.target_placement,
        caption_target=example.recipe.caption_other,
        caption_other=example.recipe.caption_target,
        snr=None if example.recipe.snr is None else -example.recipe.snr,
    )
    return dataclasses.replace(
        example,
        target=example.other,
        other=example.target,
        snr=-example.snr,
        recipe=recipe,
        label_target=example.label_other,
        label_other=example.label_target,
    )


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
