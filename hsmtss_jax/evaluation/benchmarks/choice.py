"""Choose the pairs that a report shows: by their scores alone, so that every run chooses the same."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

from hsmtss_jax.evaluation.scores import ROUTES, SYSTEM, PairScore, routes_of

RANKS = ("worst", "median", "best")


@dataclasses.dataclass(frozen=True)
class Chosen:
    """Store a pair and task of a report. rank: one of ``RANKS``; value: what it was chosen by."""

    index: int
    task: str
    rank: str
    value: float


def choose(scores: Sequence[PairScore], route: str, metric: str, count: int) -> list[Chosen]:
    """Choose ``count`` pairs of a route: in turns the worst, those about the median and the best by a metric.

    A recording of a target is shown once as long as there are others; equal values go by number. What
    has no value (NaN) is left out. Raises ValueError for a route or metric that no score has.
    """
    rows = [score for score in scores if score.route == route]
    if not rows:
        known = ", ".join(routes_of(scores))
        raise ValueError(f"no score is of the route {route}: choose of {known}")
    valued = [row for row in rows if not math.isnan(row.values.get(metric, math.nan))]
    if not valued:
        known = ", ".join(rows[0].values)
        raise ValueError(f"{route} has no {metric}: choose of {known}")
    valued.sort(key=lambda row: (_badness(row.values[metric], metric), row.index, row.task))
    middle = len(valued) // 2
    about = sorted(range(len(valued)), key=lambda i: (abs(i - middle), i))
    orders = {"worst": valued, "median": [valued[i] for i in about], "best": valued[::-1]}
    return _in_turns(orders, metric, min(count, len(valued)))


def shown_route(scores: Sequence[PairScore]) -> str:
    """Return the route that a report is about: ours in its own mode, else the first of others."""
    found = routes_of(scores)
    ours = [route for route in reversed(SYSTEM) if route in found]
    others = [route for route in found if route not in ROUTES]
    return (ours + others + found)[0]


def worse_first(values: Mapping[str, float], metric: str) -> list[str]:
    """Return the names of a metric's values from the worst to the best; those without a value last."""
    return sorted(values, key=lambda n: (math.isnan(values[n]), _badness(values[n], metric), n))


def _badness(value: float, metric: str) -> float:
    """Return a value of which small is bad, whichever way the metric goes."""
    return -value if metric.startswith(("lsd", "kl_")) else value


def _in_turns(orders: dict[str, list[PairScore]], metric: str, count: int) -> list[Chosen]:
    chosen: dict[tuple[int, str], Chosen] = {}
    groups: set[str] = set()
    while len(chosen) < count:
        for rank, order in orders.items():
            left = [row for row in order if (row.index, row.task) not in chosen]
            if len(chosen) == count or not left:
                break
            row = next((row for row in left if row.group not in groups), left[0])
            groups.add(row.group)
            chosen[row.index, row.task] = Chosen(row.index, row.task, rank, row.values[metric])
    return sorted(chosen.values(), key=lambda each: RANKS.index(each.rank))
