"""Curves: a line a route in the order of its values, round ticks, nothing for too few pairs."""

import re

from hsmtss_jax.evaluation.benchmarks.curves import draw_curves
from tests.evaluation.benchmarks.test_choice import score


def test_a_line_a_route():
    rows = [score(i, float(i), route=route) for route in ("mask", "<b>") for i in (2, 0, 1)]
    frame = [score(i, 90.0, route="target") for i in range(3)]
    svg = draw_curves([*rows, *frame], "sdri")
    lines = re.findall(r"points='([^']*)'", svg)
    assert len(lines) == 2 and lines[0] == lines[1]
    heights = [float(point.split(",")[1]) for point in lines[0].split()]
    assert heights == sorted(heights, reverse=True) and min(heights) >= 4
    assert "&lt;b&gt;" in svg and "<b>" not in svg
    assert {"0.5", "1", "1.5"} <= set(re.findall(r">([\d.]+)</text>", svg))


def test_equal_values_and_too_few():
    assert "polyline" in draw_curves([score(i, 3.0) for i in range(2)], "sdri")
    assert "Fewer than two" in draw_curves([score(0, 3.0), score(1, float("nan"))], "sdri")
