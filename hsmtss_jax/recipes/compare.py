"""Put runs side by side: what differs in their settings, what they reached, how fast, at what cost."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from hsmtss_jax.metrics.interval import Estimate
from hsmtss_jax.metrics.tables import Cell, Column, Row, Table
from hsmtss_jax.recipes.runs import Run

_PATHS = (
    "upstream.",
    "data.root",
    "data.text_cache",
    "run.init_from",
)  # where things lie is no setting
_MISSING = "-"


def differing(runs: Sequence[Run]) -> dict[str, list[Any]]:
    """Return the settings in which runs differ: name -> each run's value, None where it has none.

    A stage that a run does not hold differs from nothing: a variant has it from its recipe. Runs of one
    stage each are compared whatever the stages are called.
    """
    single = all(len(run.stages) == 1 for run in runs)
    configs = [_settings(run, single) for run in runs]
    holds = [{""} if single else set(run.stages) for run in runs]
    found = {}
    for stage, name in sorted({key for config in configs for key in config}):
        values = [config.get((stage, name)) for config in configs]
        compared = [value for value, has in zip(values, holds, strict=True) if stage in has]
        differs = any(value != compared[0] for value in compared)
        if differs and not name.startswith(_PATHS):
            found[f"{stage}.{name}" if stage else name] = values
    return found


def _settings(run: Run, single: bool) -> dict[tuple[str, str], Any]:
    return {
        ("" if single else stage, name): value
        for stage, known in run.stages.items()
        for name, value in known.config.items()
    }


def metrics_of(runs: Sequence[Run], route: str = "mask", metrics: Sequence[str] = ()) -> list[str]:
    """Return the names of metrics to show: scores of the route, else those of the last validation.

    metrics: these alone; ValueError for one that no run has.
    """
    known: dict[str, None] = {}
    for run in runs:
        known |= dict.fromkeys(_values(run, route))
    if missing := [name for name in metrics if name not in known]:
        raise ValueError(f"no run has {missing[0]!r}: choose of {', '.join(known)}")
    return list(metrics) or list(known)


def comparison(
    runs: Sequence[Run],
    *,
    route: str = "mask",
    metrics: Sequence[str] = (),
    price: float | None = None,
) -> Table:
    """Return a table with a row a run.

    Args:
      runs: two or more make sense.
      route: of the scores ("mask", "generate").
      metrics: those to show; () shows all.
      price: of an hour of the devices together [USD].

    Raises:
      ValueError: a metric that no run has.
    """
    settings, names = differing(runs), metrics_of(runs, route, metrics)
    columns = [
        *(Column(f"config/{name}", name) for name in settings),
        *(Column(name, name, decimals=3) for name in names),
        Column("parameters", "parameters (M)", decimals=2, scale=1e-6),
        Column("steps", "steps", decimals=0),
        Column("speed", "examples/s", significant=3),
        Column("hours", "hours", significant=3),
        Column("price", "price (USD)", significant=3),
    ]
    rows = []
    for index, run in enumerate(runs):
        cells: dict[str, Cell] = {
            f"config/{name}": _word(values[index]) for name, values in settings.items()
        }
        shown = _values(run, route)
        cells |= {name: shown.get(name) for name in names}
        rows.append(Row(run.name, cells | _cost(run, price)))
    return Table(columns, rows, corner="run")


def to_csv(table: Table) -> str:
    """Return a table as comma-separated values; an estimate takes three columns: mean, low, high."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    wide = {
        column.key
        for column in table.columns
        if any(isinstance(row.cells.get(column.key), Estimate) for row in table.rows)
    }
    heads: list[str] = []
    for column in table.columns:
        key = column.key
        heads += [key, f"{key} low", f"{key} high"] if key in wide else [key]
    writer.writerow([table.corner, *heads])
    for row in table.rows:
        cells: list[Any] = []
        for column in table.columns:
            cells += _csv_cells(row.cells.get(column.key), column.key in wide)
        writer.writerow([row.name, *cells])
    return out.getvalue()


def _csv_cells(cell: Cell, wide: bool) -> list[Any]:
    if isinstance(cell, Estimate):
        return [cell.mean, cell.low, cell.high]
    return [cell, None, None] if wide else [cell]


def _values(run: Run, route: str) -> dict[str, Cell]:
    """Return a run's metrics: the pipeline's scores, or the stages' last validations where there are none."""
    scores: dict[str, Cell] = {
        metric: cell for (where, metric), cell in run.scores.items() if where == route
    }
    if scores:
        return scores
    alone = len(run.stages) == 1
    return {
        f"validation/{key}" if alone else f"{name}/{key}": value
        for name, stage in run.stages.items()
        for key, value in stage.validation.items()
    }


def _cost(run: Run, price: float | None) -> dict[str, Cell]:
    stages = list(run.stages.values())
    parameters = [stage.parameters for stage in stages if stage.parameters]
    return {
        "parameters": sum(parameters) or None,
        "steps": sum(stage.steps for stage in stages) or None,
        "speed": stages[0].examples_per_second if len(stages) == 1 else None,
        "hours": run.hours or None,
        "price": None if price is None else price * run.hours,
    }


def _word(value: Any) -> str:
    """Return a setting's value as it is written on the command line."""
    if isinstance(value, list):
        return ",".join(map(str, value)) or _MISSING
    if isinstance(value, bool):
        return str(value).lower()
    return _MISSING if value is None else str(value)
