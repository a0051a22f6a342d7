"""The trainer over two processes: data, step, validation, checkpoints, resume, bundle."""

import json

import pytest

from hsmtss_jax.bundles.bundle import load_bundle
from hsmtss_jax.testing import processes


@pytest.mark.slow
def test_two_processes_train_and_resume(tmp_path):
    processes.run("tests.train.toy_on_pod", str(tmp_path))
    straight, resumed = (
        load_bundle(tmp_path / name / "bundle") for name in ("straight", "resumed")
    )
    assert straight.digest == resumed.digest and straight.meta["step"] == 6
    lines = (tmp_path / "straight" / "metrics.jsonl").read_text().splitlines()
    assert any("validation/loss" in json.loads(line) for line in lines)
