"""From rows to tables: means with bootstrap confidence intervals, as JSON and Markdown."""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from hsmtss_jax.evaluation.separation import ROUTE_NAMES, ROUTES, Row
from hsmtss_jax.metrics import Estimate, mean_with_interval

METRICS = {
    "mel_psnr": "mel-PSNR (dB) ↑",
    "lsd": "LSD ↓",
    "lsd_active": "LSD, active ↓",
    "s_cosine": "cos(S, S_tgt) ↑",
    "g_cosine": "cos(G, G_tgt) ↑",
}
Summary = dict[str, dict[str, dict[str, Estimate]]]  # task -> route -> metric


def summarise(rows: Iterable[Row]) -> Summary:
    """task ("extract", "remove", "all") -> route -> metric -> mean with its 95 % interval."""
    rows = list(rows)
    summary: Summary = {}
    for task in ("extract", "remove", "all"):
        chosen = [row for row in rows if task in (row.task, "all")]
        if chosen:
            found = {row.route for row in chosen}
            summary[task] = {route: _route(chosen, route) for route in ROUTES if route in found}
            for other in ("mixture", "baseline"):
                if other in found:
                    summary[task][f"system - {other}"] = _difference(chosen, other)
    return summary


def _route(rows: Sequence[Row], route: str) -> dict[str, Estimate]:
    return {
        metric: mean_with_interval(values)
        for metric in METRICS
        if len(values := _values(rows, route, metric)) > 0
    }


def _values(rows: Sequence[Row], route: str, metric: str) -> np.ndarray:
    """The metric's finite values; a perfect copy's infinite PSNR is skipped, as the reference does."""
    found = [row.values.get(metric, math.nan) for row in rows if row.route == route]
    return np.array([value for value in found if math.isfinite(value)])


def _difference(rows: Sequence[Row], other: str) -> dict[str, Estimate]:
    """Paired differences of the system to another route."""
    by_key = {(row.index, row.route): row.values for row in rows}
    indices = sorted({row.index for row in rows})
    result = {}
    for metric in METRICS:
        pairs = [
            by_key[i, "system"].get(metric, math.nan) - by_key[i, other].get(metric, math.nan)
            for i in indices
        ]
        values = np.array([value for value in pairs if math.isfinite(value)])
        if len(values):
            result[metric] = mean_with_interval(values)
    return result


def to_markdown(summary: Summary) -> str:
    """One table a task: a row a route, a column a metric, ``mean [low, high]``."""
    lines = []
    for task, routes in summary.items():
        lines += [f"**{task}**", ""]
        lines.append("| | " + " | ".join(METRICS.values()) + " |")
        lines.append("|---" * (len(METRICS) + 1) + "|")
        for route, values in routes.items():
            name = ROUTE_NAMES.get(route, route)
            cells = [cell(values.get(metric)) for metric in METRICS]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)


def cell(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    return f"{estimate.mean:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def to_json(summary: Summary, rows: Iterable[Row], about: Mapping[str, Any]) -> dict[str, Any]:
    """Everything, as plain JSON."""
    return {
        "about": dict(about),
        "summary": {
            task: {
                route: {metric: dataclasses.asdict(value) for metric, value in values.items()}
                for route, values in routes.items()
            }
            for task, routes in summary.items()
        },
        "rows": [dataclasses.asdict(row) for row in rows],
    }
