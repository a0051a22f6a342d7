"""Several reports on the same mixtures in one table, with paired differences to the first.

A report is what ``hsmtss evaluate separation -o`` wrote: a pipeline, an ablation, a baseline.
"""

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hsmtss_jax.evaluation.scores import (
    METRICS,
    PairScore,
    described_columns,
    difference_cells,
    mean_cell,
)
from hsmtss_jax.metrics.tables import Column, Report, Row, Table

SAME = (
    "data",
    "split",
    "seed",
    "snr",
    "window",
    "list",
    "rate",
)  # of ``about``: what makes the mixtures
_FIELDS = {field.name for field in dataclasses.fields(PairScore)} - {"embeddings"}


@dataclasses.dataclass(frozen=True)
class Scored:
    """Store one route of one report. name: its row in the table."""

    name: str
    scores: tuple[PairScore, ...]


def read_report(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a report's JSON.

    Raises OSError when it is not there, ValueError when it is no report of mixtures.
    """
    try:
        document = json.loads(Path(path).read_text())
        rows = document["rows"]
        if not rows or not rows[0].keys() >= _FIELDS:
            raise KeyError("rows")
        document["about"].keys()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} is no report of mixtures: write one with hsmtss evaluate separation -o"
        ) from error
    return document


def check_same(reports: Mapping[str, Mapping[str, Any]]) -> None:
    """Check that all reports (name -> document) are on the same mixtures. Raises ValueError."""
    (first, reference), *others = reports.items()
    for name, document in others:
        for key in SAME:
            a, b = reference["about"].get(key), document["about"].get(key)
            if a != b:
                raise ValueError(
                    f"{first} and {name} differ in {key} ({a} and {b}): not comparable"
                )
        if _texts(reference) != _texts(document):
            raise ValueError(f"{first} and {name} are not on the same mixtures")


def _texts(document: Mapping[str, Any]) -> set[tuple[int, str, str]]:
    return {(row["index"], row["task"], row["text"]) for row in document["rows"]}


def lines_of(reports: Mapping[str, Mapping[str, Any]], routes: Sequence[str]) -> list[Scored]:
    """Return a row for each of ``routes`` and each report (name -> document) that has it.

    Raises ValueError for a route that no report has.
    """
    lines: list[Scored] = []
    for route in routes:
        found = {name: _scores(document, route) for name, document in reports.items()}
        if not any(found.values()):
            known = dict.fromkeys(r["route"] for doc in reports.values() for r in doc["rows"])
            raise ValueError(f"no report has the route {route!r}: choose of {', '.join(known)}")
        for name, scores in found.items():
            if scores:
                lines.append(Scored(_label(name, route, reports, routes), scores))
    return lines


def _scores(document: Mapping[str, Any], route: str) -> tuple[PairScore, ...]:
    rows = [row for row in document["rows"] if row["route"] == route]
    return tuple(PairScore(**{name: row[name] for name in _FIELDS}) for row in rows)


def _label(name: str, route: str, reports: Mapping[str, Any], routes: Sequence[str]) -> str:
    """Return what tells a row from the others: its report, its route or both."""
    if len(routes) == 1:
        return name
    return route if len(reports) == 1 else f"{name}, {route}"


def columns_of(reports: Mapping[str, Mapping[str, Any]]) -> list[Column]:
    """Return the columns of all reports (name -> document): ours, then what judges brought."""
    found = {column.key: column for column in METRICS}
    for document in reports.values():
        for column in described_columns(document["about"]):
            found.setdefault(column.key, column)
    return list(found.values())


def compare(
    lines: Sequence[Scored],
    about: Mapping[str, Any] | None = None,
    columns: Sequence[Column] = METRICS,
) -> Report:
    """Build a table a task and one of all: the mean of each row, then row - first row, paired by mixture.

    Intervals are 95 % bootstraps over recordings. A mixture on which either number is not finite (a
    perfect estimate) is left out of that difference. Raises ValueError for fewer than two rows.
    """
    if len(lines) < 2:
        raise ValueError("there is nothing to compare: give two reports, or two routes of one")
    tasks = sorted({score.task for score in lines[0].scores})
    names = [*tasks, *(["all"] if len(tasks) > 1 else [])]
    return Report(
        [Table(columns, _rows(lines, task, columns), task) for task in names], about or {}, []
    )


def _rows(lines: Sequence[Scored], task: str, columns: Sequence[Column]) -> list[Row]:
    parts = {line.name: [s for s in line.scores if task in (s.task, "all")] for line in lines}
    (first, reference), *others = parts.items()
    rows = [
        Row(name, {column.key: mean_cell(part, column.key) for column in columns})
        for name, part in parts.items()
    ]
    return rows + [
        Row(f"{name} - {first}", difference_cells(part, reference, columns))
        for name, part in others
    ]
