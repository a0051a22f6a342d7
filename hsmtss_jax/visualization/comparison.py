"""Draw a table of runs: a bar a run for each metric, with its interval where there is one."""

import os
from collections.abc import Sequence

import numpy as np

from hsmtss_jax.metrics.interval import Estimate
from hsmtss_jax.metrics.tables import Table
from hsmtss_jax.visualization.canvas import new_figure, save_figure

MOST = 12  # panels of a figure


def draw_comparison(table: Table, metrics: Sequence[str], path: str | os.PathLike[str]) -> None:
    """Write a figure of these columns of a table, the first ``MOST`` of them.

    Raises ValueError where none of them holds a number.
    """
    shown = [name for name in metrics if any(_number(row.cells.get(name)) for row in table.rows)][
        :MOST
    ]
    if not shown:
        raise ValueError("no metric to draw: the runs have no scores and no validation")
    across = min(len(shown), 4)
    down = -(-len(shown) // across)
    figure = new_figure(3.2 * across + 1.2, (0.6 + 0.28 * len(table.rows)) * down + 0.4)
    axes = figure.subplots(down, across, squeeze=False, sharey=True)
    for axis in axes.flat[len(shown) :]:
        axis.set_axis_off()
    places = np.arange(len(table.rows))[::-1]
    for axis, name in zip(axes.flat, shown, strict=False):
        for place, row in zip(places, table.rows, strict=True):
            if (bar := _number(row.cells.get(name))) is None:
                continue
            mean, low, high = bar
            axis.barh(place, mean, color="#4c78a8", height=0.7)
            if high > low:
                axis.errorbar(
                    mean, place, xerr=[[mean - low], [high - mean]], color="black", capsize=2
                )
        axis.set_yticks(places, [row.name for row in table.rows], fontsize=8)
        axis.set_title(name, fontsize=9)
        axis.tick_params(axis="x", labelsize=8)
    save_figure(figure, path)


def _number(cell: object) -> tuple[float, float, float] | None:
    """Return mean, low and high of a cell, None where it holds no number."""
    if isinstance(cell, Estimate):
        return (cell.mean, cell.low, cell.high) if np.isfinite(cell.mean) else None
    return (float(cell), float(cell), float(cell)) if isinstance(cell, int | float) else None
