"""AudioSet: comment lines, spaces behind commas, class names, files of several downloaders."""

import pytest


def test_segments_and_classes(copy):
    report = copy.prepare()
    clips = copy.clips
    assert clips["--PJHxphWEs_30"]["captions"] == ["speech,inside and small room"]
    assert clips["--PJHxphWEs_30"]["tags"] == ["speech", "inside and small room"]
    assert clips["--4gqARaEJE_0"]["split"] == "test"
    assert clips["--4gqARaEJE_0"]["label"] == "domestic animals and pets"
    assert {clips["--ZhevVpy1s_50"]["split"], clips["---1_cCGK4M_0"]["split"]} == {"train"}
    assert report.listed == {"train": 3, "test": 1}


def test_parts(copy):
    report = copy.prepare("balanced")
    assert sorted(copy.clips) == ["--PJHxphWEs_30", "--ZhevVpy1s_50"] and not report.differences


def test_a_class_that_no_table_names(copy):
    table = copy.root / "eval_segments.csv"
    table.write_text(table.read_text().replace("/m/068hy", "/m/0"))
    with pytest.raises(ValueError, match="--4gqARaEJE has the class '/m/0', which no table names"):
        copy.prepare()
