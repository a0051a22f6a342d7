"""The writer's files: one JSON line a step, which a resumed run goes on with, and TensorBoard events."""

import json

import numpy as np
import pytest

from hsmtss_jax.train.stage import Panel
from hsmtss_jax.train.writer import Writer


def lines(workdir):
    return [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]


def test_writer_goes_on_after_the_resumed_step(tmp_path):
    writer = Writer(tmp_path)
    for step in (1, 2, 3):
        writer.scalars(step, {"loss": float(step)})
    writer.close()
    with (tmp_path / "metrics.jsonl").open("a") as opened:
        opened.write('{"step": 4, "lo')
    writer = Writer(tmp_path, resume_step=2)
    writer.scalars(3, {"loss": float("nan")})
    writer.close()
    found = [(line["step"], line["loss"]) for line in lines(tmp_path)]
    assert found == [(1, 1.0), (2, 2.0), (3, None)]


def test_numbers_can_be_read_while_the_run_goes_on(tmp_path):
    writer = Writer(tmp_path / "new" / "folder")
    writer.scalars(5, {"a": np.float32(0.5), "b": float("inf")})
    (line,) = lines(tmp_path / "new" / "folder")
    writer.close()
    assert line["step"] == 5 and line["a"] == 0.5 and line["b"] is None and line["time"] > 0


@pytest.mark.parametrize(
    "panel",
    [
        Panel("image", np.zeros((4, 5))),
        Panel("image", np.arange(20).reshape(4, 5)),
        Panel("audio", np.linspace(-2, 2, 800)),
    ],
)
def test_panels_go_to_tensorboard(tmp_path, panel):
    writer = Writer(tmp_path)
    sizes = [path.stat().st_size for path in (tmp_path / "tensorboard").iterdir()]
    writer.panels(1, {"panel": panel})
    writer.close()
    assert sum(path.stat().st_size for path in (tmp_path / "tensorboard").iterdir()) > sum(sizes)
    assert lines(tmp_path) == []
