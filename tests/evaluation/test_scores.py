import math

import numpy as np
import pytest

from hsmtss_jax.evaluation.scores import METRICS, PairScore, difference_cells, mean_cell, report


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
