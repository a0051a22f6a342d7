"""Runs read from disk: finished ones, unfinished ones, whole recipes."""

import json
import struct

import pytest

from hsmtss_jax.recipes.runs import is_run, read_run

EXPERIMENT = {"data": {"batch_size": 8}, "run": {"seed": 0}}


def write_stage(folder, experiment=EXPERIMENT, loss=0.5, finished=True):
    """Write what a training leaves that ran at 2 steps/s and rested for a night."""
    folder.mkdir(parents=True)
    rows = [
        {"step": 10, "time": 100.0, "speed/steps_per_second": 2.0},
        {"step": 20, "time": 105.0, "speed/steps_per_second": 2.0},
        {"step": 20, "time": 106.0, "validation/loss": loss, "validation/odd": None},
        {"step": 30, "time": 50_000.0, "speed/steps_per_second": 2.0},
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows) + '{"step": 4'
    (folder / "metrics.jsonl").write_text(text)
    if not finished:
        for step in (9, 10):
            (folder / "checkpoints" / str(step) / "config").mkdir(parents=True)
        saved = folder / "checkpoints" / "10" / "config" / "metadata"
        saved.write_text(json.dumps({"experiment": experiment}))
        return
    (folder / "bundle").mkdir()
    header = {"meta": {"experiment": experiment}}
    (folder / "bundle" / "bundle.json").write_text(json.dumps(header))
    tensors = json.dumps({"__metadata__": {}, "a": {"shape": [2, 3]}, "b": {"shape": [4]}}).encode()
    weights = struct.pack("<Q", len(tensors)) + tensors
    (folder / "bundle" / "model.safetensors").write_bytes(weights)


@pytest.mark.parametrize("finished", [True, False])
def test_a_training(tmp_path, finished):
    write_stage(tmp_path / "a", finished=finished)
    run = read_run(tmp_path / "a")
    (stage,) = run.stages.values()
    assert run.name == "a" and stage.config == {"data.batch_size": 8, "run.seed": 0}
    assert stage.validation == {"loss": 0.5} and stage.steps == 30
    assert stage.speed == 2.0 and stage.examples_per_second == 16.0
    assert stage.seconds == 5 + 5 + 1  # ten steps before the first line, then its lines; no night
    assert stage.parameters == (10 if finished else None)


def test_a_recipe_with_its_scores(tmp_path):
    for name in ("a", "b"):
        write_stage(tmp_path / "run" / name)
    cell = {"mean": 1.0, "low": 0.0, "high": 2.0, "count": 3, "skipped": 0}
    document = {"summary": {"all": {"mask": {"sdr": cell, "word": "x"}}}}
    (tmp_path / "run" / "scores.json").write_text(json.dumps(document))
    run = read_run(tmp_path / "run", "name")
    assert set(run.stages) == {"a", "b"} and run.name == "name"
    assert run.scores[("mask", "sdr")].high == 2.0 and len(run.scores) == 1
    assert run.hours == pytest.approx(2 * 11 / 3600)


def test_what_is_no_run(tmp_path):
    (tmp_path / "notes").mkdir()
    assert not is_run(tmp_path / "notes") and not is_run(tmp_path / "nothing")
    with pytest.raises(ValueError, match="holds no run: give workdirs of"):
        read_run(tmp_path / "notes")
