import json

import pytest

from hsmtss_jax.metrics import Estimate
from hsmtss_jax.metrics.tables import Column, Report, Row, Table

COLUMNS = [
    Column("lsd", "LSD ↓"),
    Column("r1", "R@1 (%) ↑", decimals=1, scale=100),
    Column("rank", "median rank ↓", decimals=0),
    Column("unused", "unused"),
]
ROWS = [
    Row("ours", {"lsd": Estimate(1.5, 1.25, 1.75, 9), "r1": 0.125, "rank": 13}, key="ours_1"),
    Row("chance", {"lsd": Estimate(3.0, 2.0, 4.0, 8, 1), "r1": "none"}),
]


def test_markdown_by_hand():
    assert Table(COLUMNS, ROWS, "test", "of 9 clips").to_markdown().splitlines() == [
        "**test**",
        "",
        "| of 9 clips | LSD ↓ | R@1 (%) ↑ | median rank ↓ |",
        "|---|---|---|---|",
        "| ours | 1.50 [1.25, 1.75] | 12.5 | 13 |",
        "| chance | 3.00 [2.00, 4.00] (1 skipped) | none | - |",
    ]
    assert Table(COLUMNS, ROWS).to_markdown().startswith("| | LSD ↓ |")


def test_json_holds_what_there_is():
    document = Table(COLUMNS, ROWS).to_json()
    assert json.loads(json.dumps(document)) == document
    assert document["ours_1"] == {
        "lsd": {"mean": 1.5, "low": 1.25, "high": 1.75, "count": 9, "skipped": 0},
        "r1": 0.125,
        "rank": 13,
    }
    assert list(document["chance"]) == ["lsd", "r1"]


def test_a_report_of_one_table_and_of_several():
    one = Report([Table(COLUMNS, ROWS)], {"seed": 0}, [1, 2], ["a note"])
    assert one.table().endswith("- |\n\na note\n")
    assert one.to_json() == {
        "about": {"seed": 0},
        "notes": ["a note"],
        "summary": one.tables[0].to_json(),
        "rows": [1, 2],
    }
    two = Report([Table(COLUMNS, ROWS, name) for name in ("extract", "remove")], {}, [])
    assert list(two.to_json()["summary"]) == ["extract", "remove"]
    assert "**extract**" in two.table() and "\n\n**remove**" in two.table()


@pytest.mark.parametrize(("cell", "text"), [(None, "-"), ("", "-"), (0.0, "0.00"), (2, "2.00")])
def test_cells(cell, text):
    assert Column("x", "x").write(cell) == text


def test_significant_digits_take_the_place_of_decimals():
    assert Column("x", "x", scale=100, significant=3).write(0.123456) == "12.3"
