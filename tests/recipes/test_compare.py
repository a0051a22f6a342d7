"""Runs side by side: the settings in which they differ, and the table as Markdown, CSV and a figure."""

import csv
import io
import json

import pytest

from hsmtss_jax.cli.main import main
from hsmtss_jax.metrics.interval import Estimate
from hsmtss_jax.recipes.compare import comparison, differing, metrics_of, to_csv
from hsmtss_jax.recipes.runs import Run, Stage
from tests.recipes.test_runs import EXPERIMENT, write_stage


def stage(loss=0.5, **config):
    known = {"data.batch_size": 8, "data.root": f"somewhere/{loss}", **config}
    return Stage(known, {"loss": loss}, 100, 4.0, 1800.0, 1_000_000)


def test_settings_that_differ_are_told_and_places_are_not():
    runs = [
        Run("a", {"x": stage(0.5, rate=1.0, seed=0)}, {}),
        Run("b", {"x": stage(0.4, rate=2.0, seed=0)}, {}),
    ]
    assert differing(runs) == {"rate": [1.0, 2.0]}


def test_a_stage_that_a_variant_does_not_train_differs_from_nothing():
    whole = Run("whole", {"x": stage(p=0.1), "y": stage(q=1)}, {})
    variant = Run("variant", {"x": stage(p=0.5)}, {})
    assert differing([whole, variant]) == {"x.p": [0.1, 0.5]}


def test_scores_come_before_validation():
    scored = Run("a", {"x": stage()}, {("mask", "sdr"): Estimate(1.0, 0.5, 1.5, 3)})
    assert metrics_of([scored]) == ["sdr"]
    assert metrics_of([scored], route="generate") == ["validation/loss"]
    with pytest.raises(ValueError, match="no run has 'x': choose of sdr"):
        metrics_of([scored], metrics=["x"])


def test_the_table():
    runs = [
        Run("a", {"x": stage(rate=1.0)}, {("mask", "sdr"): Estimate(1.0, 0.5, 1.5, 3)}),
        Run("b", {"x": stage(rate=2.0)}, {}),
    ]
    table = comparison(runs, metrics=["sdr"], price=4.0)
    rows = table.to_json()
    assert rows["a"]["config/rate"] == "1.0" and rows["a"]["sdr"]["low"] == 0.5
    assert "sdr" not in rows["b"]
    assert (rows["a"]["speed"], rows["a"]["hours"], rows["a"]["price"]) == (32.0, 0.5, 2.0)
    read = list(csv.DictReader(io.StringIO(to_csv(table))))
    assert (read[0]["sdr"], read[0]["sdr low"], read[1]["sdr"]) == ("1.0", "0.5", "")
    assert read[1]["config/rate"] == "2.0"


def test_the_command(tmp_path, capsys):
    for name, rate in (("a", 1), ("b", 2)):
        write_stage(tmp_path / name, EXPERIMENT | {"run": {"seed": rate}}, loss=rate / 2)
    (tmp_path / "notes").mkdir()
    out, figure = tmp_path / "table.json", tmp_path / "figure.png"
    paths = [str(tmp_path / name) for name in ("a", "b", "notes")]
    assert main(["compare", *paths, "-o", str(out), f"--figure={figure}"]) == 0
    said = capsys.readouterr()
    assert "| run | run.seed | validation/loss |" in said.out
    assert "notes holds no run: left out" in said.err
    assert json.loads(out.read_text())["summary"]["b"]["validation/loss"] == 1.0
    assert out.with_suffix(".csv").read_text().startswith("run,config/run.seed,validation/loss")
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert main(["compare", paths[2]]) == 2
    assert "none of these holds a run" in capsys.readouterr().err
    assert main(["compare", *paths[:2], "--names", "x"]) == 2
