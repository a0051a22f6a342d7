"""The figure of runs side by side."""

import pytest

from hsmtss_jax.metrics.interval import Estimate
from hsmtss_jax.metrics.tables import Column, Row, Table
from hsmtss_jax.visualization.comparison import draw_comparison

ROWS = [Row("a", {"x": Estimate(1.0, 0.5, 1.5, 3), "y": 2.0}), Row("b", {"x": None, "y": "word"})]
TABLE = Table([Column("x", "x"), Column("y", "y")], ROWS)


def test_a_panel_a_metric(tmp_path):
    draw_comparison(TABLE, ["x", "y", "absent"], tmp_path / "figure.png")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_nothing_to_draw(tmp_path):
    with pytest.raises(ValueError, match="no metric to draw"):
        draw_comparison(TABLE, ["absent"], tmp_path / "figure.png")
