"""Reports side by side: pairs are formed by mixture, and only comparable reports are compared."""

import json

import numpy as np
import pytest

from hsmtss_jax.cli.main import main
from hsmtss_jax.evaluation import comparison

ABOUT = {"data": "d", "split": "test", "seed": 0, "snr": [-15, 15], "window": 40960}


def report(offset: float, count: int = 40, routes=("mixture", "mask"), **about) -> dict:
    """Mixtures that differ much from one another, systems by a constant."""
    rng = np.random.default_rng(0)
    hard = rng.normal(20, 8, count)
    rows = [
        {
            "index": i,
            "task": ("extract", "remove")[i % 2],
            "route": route,
            "text": f"sound {i}",
            "group": f"recording {i}",
            "snr_db": 0.0,
            "values": {"mel_psnr": hard[i] + offset * (route == "mask"), "lsd": 1.0},
        }
        for i in range(count)
        for route in routes
    ]
    return {"about": ABOUT | about, "rows": rows}


def test_differences_are_paired_by_mixture():
    reports = {"full": report(2.0), "single": report(1.5)}
    reports["single"]["rows"].reverse()
    comparison.check_same(reports)
    table = comparison.compare(comparison.lines_of(reports, ["mask"])).to_json()["summary"]
    assert set(table) == {"extract", "remove", "all"}
    assert list(table["all"]) == ["full", "single", "single - full"]
    single, difference = (table["all"][name]["mel_psnr"] for name in ("single", "single - full"))
    assert single["high"] - single["low"] > 2  # the mixtures differ,
    np.testing.assert_allclose(  # the systems by a constant
        [difference["mean"], difference["low"], difference["high"]], [-0.5] * 3, atol=1e-9
    )
    assert difference["count"] == 40 and table["extract"]["full"]["lsd"]["count"] == 20


def test_a_number_that_is_not_finite_leaves_its_pair():
    reports = {"a": report(2.0), "b": report(1.0)}
    reports["b"]["rows"][1]["values"]["mel_psnr"] = float("inf")
    found = comparison.compare(comparison.lines_of(reports, ["mask"]))
    table = found.to_json()["summary"]["all"]
    assert table["b - a"]["mel_psnr"]["count"] == 39
    assert table["b - a"]["mel_psnr"]["mean"] == pytest.approx(-1.0)
    assert table["a"]["mel_psnr"]["count"] == 40


def test_routes_of_one_report_can_be_compared():
    reports = {"a": report(2.0), "b": report(0.0, routes=("mixture",))}
    names = [line.name for line in comparison.lines_of({"a": reports["a"]}, ["mixture", "mask"])]
    assert names == ["mixture", "mask"]
    names = [line.name for line in comparison.lines_of(reports, ["mixture", "mask"])]
    assert names == ["a, mixture", "b, mixture", "a, mask"]


def test_a_judge_s_columns_are_compared_too():
    reports = {name: report(0.0, columns={"kl_x": "KL (X)"}) for name in ("a", "b")}
    for row in reports["b"]["rows"]:
        row["values"]["kl_x"] = 2.0
    columns = comparison.columns_of(reports)
    assert [c.title for c in columns if c.key == "kl_x"] == ["KL (X)"]
    lines = comparison.lines_of(reports, ["mask"])
    table = comparison.compare(lines, columns=columns).to_json()["summary"]["all"]
    assert table["b"]["kl_x"]["mean"] == 2.0 and "kl_x" not in table["b - a"]


@pytest.fixture
def folder(tmp_path):
    for name, document in {
        "full": report(2.0),
        "single": report(1.5),
        "other_seed": report(1.0, seed=1),
        "fewer": report(1.0, count=39),
        "text": [1],
    }.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    return tmp_path


def test_command(folder, capsys):
    out = folder / "new" / "table.json"
    argv = ["evaluate", "compare", str(folder / "full.json"), str(folder / "single.json")]
    assert main([*argv, "--names", "two stages", "one stage", "-o", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "| one stage - two stages | -0.50 [-0.50, -0.50] |" in printed
    assert out.with_suffix(".md").read_text() in printed
    summary = json.loads(out.read_text())["summary"]
    assert summary["all"]["one stage - two stages"]["mel_psnr"]["count"] == 40


@pytest.mark.parametrize(
    ("names", "options", "said"),
    [
        (["full"], [], "nothing to compare"),
        (["full", "other_seed"], [], "differ in seed (0 and 1)"),
        (["full", "fewer"], [], "are not on the same mixtures"),
        (["full", "text"], [], "is no report of mixtures"),
        (["full", "absent"], [], "absent.json"),
        (["full", "single"], ["--route", "fly"], "no report has the route 'fly'"),
        (["full", "single"], ["--names", "a", "a"], "--names must give the 2 reports"),
    ],
)
def test_bad_input_is_one_line(names, options, said, folder, capsys):
    reports = [str(folder / f"{name}.json") for name in names]
    assert main(["evaluate", "compare", *reports, *options]) == 2
    error = capsys.readouterr().err
    assert error.startswith("hsmtss: error: ") and error.count("\n") == 1 and said in error
