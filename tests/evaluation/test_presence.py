"""Absent sounds: what is asked for, the AUC of the answers, and the command."""

import dataclasses
import json
import math

import pytest

from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.main import main
from hsmtss_jax.data.sources import ClipSource, overlaps
from hsmtss_jax.evaluation.presence import Answer, absent_text, evaluate_presence, report
from hsmtss_jax.inference.separator import Separator


def answer(index, kind, presence, level, **values):
    return Answer(index, kind, "a dog", f"g{index}", presence, level, **values)


def test_the_table_by_hand():
    answers = []
    for i in range(4):
        answers += [
            answer(i, "target", 0.9, -3.0),
            answer(i, "other", 0.8 - 0.3 * i, -6.0),
            answer(i, "absent", 0.4, -30.0, log_wmse=50.0),
        ]
    found = report(answers, {})
    summary = found.to_json()["summary"]
    assert summary["presence"]["auc"]["mean"] == pytest.approx((4 + 2) / 8)  # 0.8, 0.5 of four
    assert summary["level_db"]["auc"]["mean"] == 1.0
    assert summary["level_db"]["absent"]["mean"] == -30.0
    assert summary["level_db"]["present"]["mean"] == -4.5
    assert summary["log_wmse"]["absent"]["mean"] == 50.0
    assert "| 4 mixtures | AUC" in found.table()
    without = report([dataclasses.replace(a, log_wmse=math.nan) for a in answers], {})
    assert "log_wmse" not in without.to_json()["summary"]
    assert any("Not computed: logWMSE" in note for note in without.notes)


def test_what_is_asked_for_is_not_there(mixtures, examples):
    clips = ClipSource(mixtures.root, "test").clips
    by_id = {clip.id: clip for clip in clips}
    for seed, example in enumerate(examples):
        text = absent_text(clips, example, seed)
        (clip,) = [clip for clip in clips if clip.captions[0] == text]
        for name in (example.recipe.target, example.recipe.other):
            assert not overlaps(clip, by_id[name])
    with pytest.raises(ValueError, match="every clip shares an event"):
        inside = [by_id[examples[0].recipe.target], by_id[examples[0].recipe.other]]
        absent_text(inside, examples[0], 0)


def test_every_mixture_is_asked_three_times(runtime, examples):
    found = evaluate_presence(Separator(runtime), examples[:2], lambda *_: "a whale sings")
    assert [(row["index"], row["kind"]) for row in found.rows] == [
        (i, kind) for i in (0, 1) for kind in ("target", "other", "absent")
    ]
    assert found.rows[2]["text"] == "a whale sings" and 0 <= found.rows[0]["presence"] <= 1
    with pytest.raises(ValueError, match="no mixture"):
        evaluate_presence(Separator(runtime), [], lambda *_: "a whale sings")


def test_the_command(mixtures, runtime, tmp_path):
    out = tmp_path / "presence.json"
    argv = ["evaluate", "presence", f"--data={mixtures.root}", "--count=2", "-o", str(out)]
    assert main(argv, Context(load_runtime=lambda *_: runtime)) == 0
    document = json.loads(out.read_text())
    assert len(document["rows"]) == 6 and document["about"]["mode"] == "mask"
