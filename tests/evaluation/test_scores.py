import json
import math

import numpy as np
import pytest

from hsmtss_jax.evaluation.scores import (
    METRICS,
    PairScore,
    describe_columns,
    described_columns,
    difference_cells,
    mean_cell,
    missing_notes,
    report,
    set_table,
)
from hsmtss_jax.metrics.tables import Column


def score(index, task, route, group="", **values):
    return PairScore(index, task, route, "a dog", group or str(index), 0.0, values)


def scores():
    rows = []
    for i in range(6):
        for task in ("extract", "remove"):
            hard = 20.0 + 5 * i + (task == "remove")
            rows.append(score(i, task, "mixture", f"r{i // 2}", mel_psnr=hard, s_cosine=0.5))
            rows.append(score(i, task, "mask", f"r{i // 2}", mel_psnr=hard + 2.0))
            rows.append(score(i, task, "predicted", f"r{i // 2}", s_cosine=0.75, g_cosine=0.5))
    return rows


def test_tables_by_task_then_both_then_features():
    document = report(scores(), {"options": {"silence_gate": True}}).to_json()
    assert list(document["summary"]) == ["extract", "remove", "all", "features"]
    both = document["summary"]["all"]
    assert both["mask"]["mel_psnr"]["count"] == 12
    assert list(both) == ["mixture", "mask", "mask - mixture"]  # "predicted" has no sound
    assert both["mask - mixture"]["mel_psnr"]["low"] == pytest.approx(2.0)
    features = document["summary"]["features"]
    assert list(features) == ["mixture", "predicted"]
    assert features["predicted"]["g_cosine_remove"]["mean"] == 0.5
    assert "3 recordings" in document["notes"][0]
    assert "| 6 pairs | mel-PSNR (dB) ↑ |" in report(scores(), {}).table()


def test_whole_recordings_are_drawn():
    rows = scores()
    grouped = mean_cell([row for row in rows if row.route == "mixture"], "mel_psnr")
    alone = [score(i, "extract", "mixture", mel_psnr=25.5 + 10 * i) for i in (0, 1, 2)]
    single = mean_cell(alone, "mel_psnr")
    assert (grouped.low - grouped.mean, grouped.high - grouped.mean) == pytest.approx(
        (single.low - single.mean, single.high - single.mean)
    )


def test_what_is_not_finite_is_skipped_and_counted():
    ours = [score(0, "extract", "mask", sdr=math.inf), score(1, "extract", "mask", sdr=3.0)]
    others = [score(i, "extract", "mixture", sdr=1.0) for i in range(2)]
    assert mean_cell(ours, "sdr").skipped == 1
    found = difference_cells(ours, others, METRICS)
    assert list(found) == ["sdr"] and (found["sdr"].mean, found["sdr"].skipped) == (2.0, 1)
    assert mean_cell(others, "lsd") is None
    assert np.isnan(mean_cell(ours, "sdr").low) == np.False_


def test_sets_of_sounds_are_compared_with_the_targets():
    rng = np.random.default_rng(0)
    rows = []
    for i in range(12):
        target = rng.normal(size=3).astype(np.float16)
        for route, vector in {"target": target, "near": target + 0.5, "far": target + 5}.items():
            for task in ("extract", "remove"):  # the same sound: it counts once
                row = score(i, task, route, mel_psnr=1.0)
                row.embeddings["Mean"] = vector.astype(np.float16)
                rows.append(row)
    table = set_table(rows).to_json()
    assert set(table) == {"near", "far"}
    assert table["near"]["fad_Mean"] == pytest.approx(3 * 0.25, rel=0.02)
    assert table["far"]["fad_Mean"] == pytest.approx(3 * 25, rel=0.02)
    assert table["far"]["kad_Mean"] > table["near"]["kad_Mean"]
    assert table["far"]["n_Mean"] == "12, 12"
    document = report(rows, {}).to_json()
    assert "sets" in document["summary"] and "embeddings" not in document["rows"][0]
    assert not set_table([row for row in rows if row.route != "target"]).rows


def test_others_routes_have_rows_and_differences():
    rows = [
        score(i, "extract", route, mel_psnr=20.0 + (route == "theirs"))
        for i in range(3)
        for route in ("theirs", "mixture", "target")
    ]
    document = report(rows, {}).to_json()["summary"]["extract"]
    assert list(document) == ["target", "mixture", "theirs", "theirs - mixture"]
    assert document["theirs - mixture"]["mel_psnr"]["mean"] == pytest.approx(1.0)


def test_what_is_missing_is_named():
    (line,) = missing_notes(METRICS)
    assert "KL (Cnn14)" in line and "CLAP score (msclap)" in line and "AFSim" in line
    (line,) = missing_notes([Column("kl_cnn14", "KL (Cnn14)"), Column("afsim_x", "AFSim (x)")])
    assert "KL" not in line and "AFSim" not in line


def test_columns_come_back_from_what_is_kept():
    columns = [Column("clap_x", "CLAP (x) ↑", 3), Column("sdr", "SDR (dB) ↑")]
    about = json.loads(json.dumps(describe_columns(columns)))
    assert described_columns(about) == columns and described_columns({}) == []
    assert described_columns({"columns": {"sdr": "SDR"}}) == [Column("sdr", "SDR")]
