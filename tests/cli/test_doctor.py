"""``hsmtss doctor``: what it finds, and what it makes of it."""

import json

import pytest

from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.bundles.pipeline import ROLES
from hsmtss_jax.cli import doctor_checkpoint, doctor_machine
from hsmtss_jax.cli.doctor_checkpoint import Stage, estimate
from hsmtss_jax.cli.main import main
from hsmtss_jax.config import to_dict
from hsmtss_jax.testing.bundles import make_stage


@pytest.fixture
def doctor(capsys):
    """Runs it; gives (status, findings by name)."""

    def run(*argv):
        status = main(["doctor", "--json", *argv])
        document = json.loads(capsys.readouterr().out)
        assert document["healthy"] == (status == 0)
        return status, {finding["name"].strip(): finding for finding in document["findings"]}

    return run


def test_the_demo_bundle_is_well(doctor):
    status, found = doctor("--batch", "2")
    assert status == 0 and found["cpu:0"]["values"]["cores"] >= 1
    assert found["versions"]["values"]["libsndfile"][0].isdigit()
    parts = [found[role]["values"]["parameters"] for role in ROLES]
    assert sum(parts) == found["checkpoint"]["values"]["parameters"] == 37_362_843
    need = found["needs of memory"]["values"]
    assert need["weights"] == need["host_copy"] == 4 * sum(parts)
    assert need["host"] < need["free"] and need["rows"] == 2
    assert found["extras"]["values"]["dev"] is True


def test_as_text(capsys):
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line[:5].strip() in ("ok", "note") for line in lines)
    assert any("37,362,843 parameters" in line for line in lines)


def test_a_single_stage_pipeline_is_examined(doctor, tmp_path):
    from hsmtss_jax.bundles.bundle import save_bundle
    from hsmtss_jax.bundles.pipeline import PipelineConfig, assemble
    from hsmtss_jax.testing.bundles import tiny_upstream

    roles = [role for role in ROLES if role != "joint_separator"] + ["single_stage"]
    for role, bundle in tiny_upstream(roles).items():
        save_bundle(tmp_path / role, bundle)
    bundles = {role: str(tmp_path / role) for role in roles}
    folder = assemble(PipelineConfig(bundles=bundles, separator="single_stage"), tmp_path / "out")
    status, found = doctor("--ckpt", str(folder))
    assert status == 0 and set(roles) <= set(found) and "joint_separator" not in found
    assert found["needs of memory"]["values"]["activations"] > 0


def test_what_is_wrong_is_said(doctor, tmp_path, monkeypatch):
    status, found = doctor("--ckpt", str(tmp_path))
    assert status == 1 and "no pipeline.json" in found["checkpoint"]["text"]
    monkeypatch.setattr(doctor_checkpoint, "host_memory", lambda: (2**30, 2**20))
    installed = {"libtpu": "0.0.1", "jax-cuda12-plugin": "0.1.0"}
    real = doctor_machine.version
    monkeypatch.setattr(doctor_machine, "version", lambda name: installed.get(name, real(name)))
    status, found = doctor()
    assert status == 1 and found["needs of memory"]["status"] == "bad"
    assert "but 1.0 MiB are free" in found["needs of memory"]["text"]
    assert "does not fit jaxlib" in found["gpu plugin"]["text"]
    assert found["tpu plugin"]["status"] == "ok"


def test_a_missing_cache_is_a_note(doctor, monkeypatch):
    monkeypatch.setattr("hsmtss_jax.cli.setup.compilation_cache", lambda: None)
    status, found = doctor()
    assert status == 0 and found["compilation cache"]["status"] == "note"


def test_bad_options(capsys):
    assert main(["doctor", "--batch", "0"]) == 2
    assert main(["doctor", "--cktp", "x"]) == 2
    assert "did you mean --ckpt?" in capsys.readouterr().err


def test_the_papers_memory():
    """From the configs alone: the decoder in bfloat16, a cache of 64 rows over 1,025 slots."""
    stages = {}
    for role in ROLES[1:]:
        config = to_dict(make_stage(role, "paper", abstract=True).config)
        stages[role] = Stage(Bundle(role, config, {}), 1000, 0)
    need = estimate(stages, 64, 2)
    assert need.host_copy == 4 * 5 * 1000 and need.weights == need.host_copy - 2 * 1000
    assert need.cache == 2 * 12 * 64 * 1024 * (512 + 513) * 2
    assert estimate(stages, 128, 2).activations == 2 * need.activations
