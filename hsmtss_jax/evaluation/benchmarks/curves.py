"""Curves of a metric over the pairs of a benchmark, as SVG: what a mean does not say."""

import math
from collections.abc import Sequence
from html import escape

import numpy as np

from hsmtss_jax.evaluation.scores import ROUTES, PairScore, routes_of, values_of

WIDTH, HEIGHT, LEFT, BOTTOM = 640, 240, 44, 22  # pixels
COLOURS = ("#3b82f6", "#ef4444", "#10b981", "#f59e0b", "#8b5cf6", "#ec4899", "#06b6d4", "#84cc16")
FRAMES = ("target", "ideal_mask")  # what frames a table, and would squeeze the curves


def draw_curves(scores: Sequence[PairScore], metric: str) -> str:
    """Draw each route's values in the order of their size: SVG, or a line that says there are none.

    The axis ends at the 1st and 99th percentile of all, so that single values do not squeeze the rest.
    """
    curves = {
        route: found
        for route in routes_of(scores)
        if route not in FRAMES and len(found := _values(scores, route, metric)) > 1
    }
    if not curves:
        return "<p class=note>Fewer than two pairs have a number.</p>"
    low, high = np.percentile(np.concatenate(list(curves.values())), [1, 99])
    low, high = (low, high) if high > low else (low - 1, high + 1)
    lines = "".join(
        _line(found, low, high, COLOURS[i % len(COLOURS)])
        for i, found in enumerate(curves.values())
    )
    legend = " ".join(
        f"<span style='color:{COLOURS[i % len(COLOURS)]}'>■</span> {escape(ROUTES.get(route, route))}"
        for i, route in enumerate(curves)
    )
    ticks = "".join(_tick(value, low, high) for value in _ticks(low, high))
    return (
        f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' style='max-width:{WIDTH}px;width:100%' role=img "
        f"aria-label='sorted values'>{ticks}{lines}"
        f"<text x='{LEFT}' y='{HEIGHT - 4}' font-size=11 fill=currentColor>lowest</text>"
        f"<text x='{WIDTH}' y='{HEIGHT - 4}' font-size=11 fill=currentColor text-anchor=end>highest"
        f"</text></svg><p class=note>{legend}</p>"
    )


def _values(scores: Sequence[PairScore], route: str, metric: str) -> np.ndarray:
    found = values_of([score for score in scores if score.route == route], metric)
    return np.sort(found[np.isfinite(found)])


def _y(value: float, low: float, high: float) -> float:
    share = min(max((value - low) / (high - low), 0.0), 1.0)
    return round((HEIGHT - BOTTOM) * (1 - share) + 4 * share, 1)


def _line(values: np.ndarray, low: float, high: float, colour: str) -> str:
    few = values[np.linspace(0, len(values) - 1, min(len(values), 200)).round().astype(int)]
    across = np.linspace(LEFT, WIDTH, len(few))
    points = " ".join(f"{x:.1f},{_y(y, low, high)}" for x, y in zip(across, few, strict=True))
    return f"<polyline points='{points}' fill=none stroke='{colour}' stroke-width=2 />"


def _ticks(low: float, high: float) -> list[float]:
    """Return about five round numbers between low and high."""
    rough = (high - low) / 5
    size = 10 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough)
    return [float(x) for x in np.arange(math.ceil(low / step), math.floor(high / step) + 1) * step]


def _tick(value: float, low: float, high: float) -> str:
    y = _y(value, low, high)
    return (
        f"<line x1='{LEFT}' x2='{WIDTH}' y1='{y}' y2='{y}' stroke='#8886' />"
        f"<text x='{LEFT - 6}' y='{y + 4}' font-size=11 fill=currentColor text-anchor=end>"
        f"{value:g}</text>"
    )
