"""Several reports on the same mixtures in one table, with paired differences to the first.

A report is what ``hsmtss evaluate separation -o`` wrote: a pipeline, an ablation, a baseline.
"""

import dataclasses
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hsmtss_jax.evaluation.report import METRICS, cell
from hsmtss_jax.metrics import Estimate, mean_with_interval

_SAME = ("data", "split", "seed", "snr", "window")  # of ``about``: what makes the mixtures
Values = dict[tuple[int, str], dict[str, float]]  # (mixture, its task) -> metric -> number
Table = dict[str, dict[str, dict[str, Estimate]]]  # task -> line -> metric


@dataclasses.dataclass(frozen=True)
class Scored:
    """One route of one report. name: its line in the table."""

    name: str
    values: Values


def read_report(path: str | os.PathLike[str]) -> dict[str, Any]:
    """A report's JSON. Raises OSError when it is not there, ValueError when it is no such report."""
    try:
        document = json.loads(Path(path).read_text())
        rows = document["rows"]
        if not rows or not {"index", "task", "route", "text", "values"} <= rows[0].keys():
            raise KeyError("rows")
        document["about"].keys()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} is no report of mixtures: write one with hsmtss evaluate separation -o"
        ) from error
    return document


def check_same(reports: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises ValueError unless all reports (name -> document) are on the same mixtures."""
    (first, reference), *others = reports.items()
    for name, document in others:
        for key in _SAME:
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
    """A line for each report (name -> document) and each of ``routes`` that it has.

    Raises ValueError for a route that no report has.
    """
    lines: list[Scored] = []
    for route in routes:
        found = {name: _values(document, route) for name, document in reports.items()}
        if not any(found.values()):
            known = dict.fromkeys(r["route"] for doc in reports.values() for r in doc["rows"])
            raise ValueError(f"no report has the route {route!r}: choose of {', '.join(known)}")
        for name, values in found.items():
            if values:
                lines.append(Scored(_label(name, route, reports, routes), values))
    return lines


def _values(document: Mapping[str, Any], route: str) -> Values:
    rows = [row for row in document["rows"] if row["route"] == route]
    return {(row["index"], row["task"]): row["values"] for row in rows}


def _label(name: str, route: str, reports: Mapping[str, Any], routes: Sequence[str]) -> str:
    """What tells a line from the others: its report, its route or both."""
    if len(routes) == 1:
        return name
    return route if len(reports) == 1 else f"{name}, {route}"


def compare(lines: Sequence[Scored]) -> Table:
    """task -> the mean of each line, then the mean of (line - first line), paired by mixture.

    Intervals are 95 % bootstraps over mixtures. A mixture on which either number is not finite (a
    silent or a perfect estimate) is left out of that difference.
    """
    first, *others = lines
    tasks = sorted({task for _, task in first.values})
    table: Table = {}
    for task in [*tasks, *(["all"] if len(tasks) > 1 else [])]:
        keys = sorted(key for key in first.values if task in (key[1], "all"))
        rows = {line.name: _means([line.values[key] for key in keys]) for line in lines}
        for line in others:
            pairs = [_minus(line.values[key], first.values[key]) for key in keys]
            rows[f"{line.name} - {first.name}"] = _means(pairs)
        table[task] = rows
    return table


def _means(rows: Sequence[Mapping[str, float]]) -> dict[str, Estimate]:
    found = {}
    for metric in METRICS:
        values = np.array([row.get(metric, math.nan) for row in rows], np.float64)
        if np.isfinite(values).any():
            found[metric] = mean_with_interval(values)
    return found


def _minus(a: Mapping[str, float], b: Mapping[str, float]) -> dict[str, float]:
    common = a.keys() & b.keys()
    finite = {key for key in common if math.isfinite(a[key]) and math.isfinite(b[key])}
    return {key: a[key] - b[key] for key in finite}


def to_markdown(table: Table) -> str:
    """One table a task: a row a line, a column a metric, ``mean [low, high]``."""
    lines = []
    for task, rows in table.items():
        used = [metric for metric in METRICS if any(metric in values for values in rows.values())]
        lines += [f"**{task}**", "", "| | " + " | ".join(METRICS[m] for m in used) + " |"]
        lines.append("|---" * (len(used) + 1) + "|")
        for name, values in rows.items():
            lines.append(f"| {name} | " + " | ".join(cell(values.get(m)) for m in used) + " |")
        lines.append("")
    return "\n".join(lines)


def to_json(table: Table) -> dict[str, Any]:
    """The table as plain JSON."""
    return {
        task: {
            name: {metric: dataclasses.asdict(value) for metric, value in values.items()}
            for name, values in rows.items()
        }
        for task, rows in table.items()
    }
