"""Many stages for many layouts: each row is kept as soon as it is known."""

import pytest

from hsmtss_jax.config import MeshConfig, load_config
from hsmtss_jax.planning.forecast import Rates
from hsmtss_jax.planning.whole import Kept, Layout, Planned, plan_stage, tables

LAYOUT = Layout(MeshConfig(data=2, fsdp=2))


def test_a_stage_on_a_layout_with_the_nearest_batch():
    config = load_config("global_separator", "tiny")
    row = plan_stage("global_separator", config, "tiny", LAYOUT, Rates("h100"), compiles=False)
    assert row.cells["batch"] == 8 and row.cells["chips"] == 4 and row.cells["largest"] is None
    assert row.title == "data=2, fsdp=2" and "XLA:CPU" in row.compiler


def test_rows_are_kept(tmp_path):
    def planned(hours):
        return Planned("t", "x", {"hours": hours, "disk": 1.0, "price": 2.0}, "c")

    path = tmp_path / "rows.jsonl"
    first = Kept(path).get(LAYOUT, "x", lambda: Planned(LAYOUT.title, "x", {"hours": 1.0}, "c"))
    again = Kept(path).get(LAYOUT, "x", lambda: pytest.fail("planned twice"))
    assert again == first
    assert Kept(None).get(LAYOUT, "x", lambda: planned(3.0)).cells["hours"] == 3.0


def test_a_table_a_layout_with_the_sum():
    rows = [
        Planned(title, name, {"hours": 1.0, "disk": 2e9, "price": 3.0}, "c")
        for title in ("a", "b")
        for name in ("x", "y")
    ]
    found = tables([*rows, Planned("c", "x", {"hours": 1.0}, "c")])
    assert [table.title for table in found] == ["a", "b", "c"]
    assert found[0].to_json()["all"] == {"hours": 2.0, "disk": 4e9, "price": 6.0}
    assert "all" not in found[2].to_json()
