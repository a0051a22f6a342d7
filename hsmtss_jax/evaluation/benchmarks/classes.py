"""A metric by what was asked for: which sounds are separated well, and the mean over classes.

AudioSep's numbers of MUSIC and AudioSet are such means: of each instrument's or class's mean.
"""

from collections.abc import Sequence

import numpy as np

from hsmtss_jax.evaluation.benchmarks.choice import shown_route, worse_first
from hsmtss_jax.evaluation.scores import ROUTES, PairScore, mean_cell, routes_of, values_of
from hsmtss_jax.metrics import mean_with_interval
from hsmtss_jax.metrics.tables import Cell, Column, Row, Table

FRAMES = ("target", "mixture")  # rows of a table that are not about separating


def class_table(scores: Sequence[PairScore], column: Column) -> Table | None:
    """Build a row a description, the worst first, of each route's mean, below the means over all of them.

    column: the metric. Returns None where hardly any description is asked for twice (captions), or where
    nothing has a finite number.
    """
    routes = [route for route in routes_of(scores) if route not in FRAMES]
    texts = list(dict.fromkeys(score.text for score in scores))
    pairs = len({(score.index, score.task) for score in scores})
    if not routes or 2 * len(texts) > pairs:
        return None
    means = {route: _means(scores, route, column.key, texts) for route in routes}
    shown = shown_route(scores)
    order = worse_first(means.get(shown, means[routes[0]]), column.key)
    count = {text: _pairs_of(scores, text) for text in texts}
    rows = [
        Row(f"{text} ({count[text]})", {r: _cell(scores, r, text, column.key) for r in routes})
        for text in order
    ]
    over = Row(f"mean over {len(texts)} descriptions", {r: _over(means[r]) for r in routes})
    if not any(cell is not None for cell in over.cells.values()):
        return None
    columns = [Column(route, ROUTES.get(route, route)) for route in routes]
    return Table(columns, [over, *rows], f"{column.title}, by description", "description (pairs)")


def _means(
    scores: Sequence[PairScore], route: str, metric: str, texts: Sequence[str]
) -> dict[str, float]:
    """Return description -> mean of its finite numbers, NaN for none."""
    found: dict[str, list[PairScore]] = {text: [] for text in texts}
    for score in scores:
        if score.route == route:
            found[score.text].append(score)
    values = {text: values_of(each, metric) for text, each in found.items()}
    finite = {text: each[np.isfinite(each)] for text, each in values.items()}
    return {text: float(each.mean()) if len(each) else np.nan for text, each in finite.items()}


def _pairs_of(scores: Sequence[PairScore], text: str) -> int:
    return len({(score.index, score.task) for score in scores if score.text == text})


def _cell(scores: Sequence[PairScore], route: str, text: str, metric: str) -> Cell:
    return mean_cell([s for s in scores if s.route == route and s.text == text], metric)


def _over(means: dict[str, float]) -> Cell:
    known = np.array([mean for mean in means.values() if np.isfinite(mean)])
    return mean_with_interval(known) if len(known) else None
