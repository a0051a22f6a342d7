"""What ships is what is measured: the system's rows are Separator's own output, to the last digit."""

import dataclasses
import json
import math

import numpy as np
import pytest

from hsmtss_jax.evaluation.pairs import pair_of
from hsmtss_jax.evaluation.scorers import Divergence, score_estimate
from hsmtss_jax.evaluation.separation import evaluate_separation
from hsmtss_jax.inference.mask_runtime import MaskRuntime
from hsmtss_jax.inference.options import SeparateOptions
from hsmtss_jax.inference.separator import Separator
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.metrics import lsd, lsd_active, mel_psnr, sdr, si_sdr
from hsmtss_jax.testing.mask_systems import tiny_mask_pipeline
from tests.evaluation.sounds import MeanJudge

MODES = ("mask", "generate", "blend")


@pytest.fixture(scope="module")
def separator(runtime):
    return Separator(runtime)


def by_key(report):
    rows = report.to_json()["rows"]
    return {(row["route"], row["index"], row["task"]): row for row in rows}


def test_the_system_s_rows_are_what_separator_gives(separator, examples):
    options = SeparateOptions(seed=7)
    report = evaluate_separation(separator, examples, modes=MODES, options=options)
    rows = by_key(report)
    for i, example in enumerate(examples):
        mixture, target = (x[: example.length] for x in (example.mixture, example.target))
        recipe = example.recipe
        asked = [
            Instruction("extract", recipe.caption_target),
            Instruction("remove", recipe.caption_other),
        ]
        for mode in MODES:
            by_hand = SeparateOptions(mode=mode, seed=7 + i, residual=False)
            many = separator.separate_many([mixture], asked, sample_rate=16_000, options=by_hand)
            for instruction, result in zip(asked, next(many), strict=True):
                estimate = result.target[:, 0]
                row = rows[mode, i, instruction.task]
                assert row["text"] == instruction.description
                expected = {
                    "mel_psnr": mel_psnr(estimate, target),
                    "lsd": lsd(estimate, target),
                    "lsd_1120": lsd(estimate, target, offset=1120),
                    "lsd_active": lsd_active(estimate, target),
                    "sdr": sdr(estimate, target),
                    "sdri": sdr(estimate, target) - sdr(mixture, target),
                    "si_sdr": si_sdr(estimate, target),
                    "si_sdri": si_sdr(estimate, target) - si_sdr(mixture, target),
                }
                assert row["values"] == expected


def test_padding_is_no_part_of_a_pair(separator, runtime, examples):
    """NaN behind the end of mixture and target changes no number of any route."""
    short = min(examples, key=lambda example: example.length)
    broken = dataclasses.replace(short, mixture=short.mixture.copy(), target=short.target.copy())
    broken.mixture[short.length :] = broken.target[short.length :] = math.nan
    clean, same = (
        evaluate_separation(separator, [each], diagnostics=runtime).to_json()["rows"]
        for each in (short, broken)
    )
    assert clean == same


def test_both_tasks_are_scored_on_the_same_pairs(separator, runtime, examples):
    report = evaluate_separation(
        separator, iter(examples), diagnostics=runtime, about={"data": "x"}
    )
    document = report.to_json()
    assert json.loads(json.dumps(document)) is not None and document["about"]["data"] == "x"
    routes = {row["route"] for row in document["rows"]}
    assert routes == {"mixture", "codec", "true_s", "true_g", "predicted", "mask"}
    assert len(document["rows"]) == 3 * 2 * len(routes)
    rows = by_key(report)
    for i in range(3):  # neither depends on what is asked for
        for route in ("mixture", "codec", "true_s"):
            a, b = (rows[route, i, task]["values"] for task in ("extract", "remove"))
            assert a == b
        assert rows["mixture", i, "remove"]["values"]["sdri"] == 0.0
    table = report.table()
    assert "**extract**" in table and "the system, mode mask (the default)" in table
    assert set(document["summary"]) == {"extract", "remove", "all", "features"}
    assert document["summary"]["all"]["mask - mixture"]["mel_psnr"]["count"] == 6
    assert document["summary"]["features"]["true_g"].keys() == {
        "s_cosine_extract",
        "s_cosine_remove",
    }


def test_the_silence_gate_is_a_switch_and_is_named(separator, runtime, examples):
    reports = [
        evaluate_separation(
            separator,
            examples[:1],
            modes=["generate"],
            options=SeparateOptions(silence_gate=gate),
            diagnostics=runtime,
        )
        for gate in (True, False)
    ]
    on, off = (report.to_json() for report in reports)
    assert on["about"]["options"]["silence_gate"] and not off["about"]["options"]["silence_gate"]
    assert any("Silence gate on" in note for note in on["notes"])
    assert any("Silence gate off" in note for note in off["notes"])
    assert any("do not for sounds that the codec makes" in note for note in on["notes"])


def test_the_baseline_is_scored_beside_it(separator, examples):
    baseline = Separator(MaskRuntime(tiny_mask_pipeline()))
    report = evaluate_separation(separator, examples[:1], baseline=baseline)
    summary = report.to_json()["summary"]["extract"]
    assert {"mixture", "mask", "baseline", "mask - mixture", "mask - baseline"} == summary.keys()


def test_a_judge_brings_columns_the_target_s_row_and_sets(separator, examples):
    judges = [Divergence(MeanJudge())]
    report = evaluate_separation(separator, examples[:2], judges=judges, paper="2")
    document = report.to_json()
    assert document["about"]["columns"]["kl_mean"] == "KL (Mean) ↓"
    both = document["summary"]["all"]
    assert list(both)[:3] == ["target", "mixture", "mask"]
    assert both["target"]["kl_mean"]["mean"] == pytest.approx(0, abs=1e-5)
    assert np.isfinite(both["mask - mixture"]["kl_mean"]["mean"])
    assert document["summary"]["sets"]["mixture"]["n_Mean"] == "2, 2"
    assert document["summary"]["the paper's Table II, extraction"]["mask"]["kl"] == "missing"
    assert "KL (Mean) ↓" in report.table() and "Not computed, of the paper's" in report.table()


def test_a_pair_of_70_ms_has_no_offset_to_drop(examples):
    pair = pair_of(0, dataclasses.replace(examples[0], length=1_000))
    values = score_estimate(pair.mixture, pair)
    assert math.isnan(values["lsd_1120"]) and math.isfinite(values["lsd"])


def test_nothing_to_measure(separator):
    with pytest.raises(ValueError, match="no mixture"):
        evaluate_separation(separator, [])


def test_the_seed_of_a_pair_is_its_own(separator, examples):
    """Pair i is drawn with seed + i: the second of two is the first of one with the next seed."""
    options = SeparateOptions(mode="generate", seed=3)
    both = by_key(evaluate_separation(separator, examples[:2], modes=["generate"], options=options))
    next_seed = dataclasses.replace(options, seed=4)
    alone = evaluate_separation(separator, examples[1:2], modes=["generate"], options=next_seed)
    a = both["generate", 1, "remove"]["values"]
    assert a == by_key(alone)["generate", 0, "remove"]["values"]
    assert np.isfinite(a["mel_psnr"])
