"""``hsmtss doctor``: what it finds, and what it makes of it."""

import json
import types

import pytest

from hsmtss_jax.bundles.bundle import save_bundle
from hsmtss_jax.bundles.pipeline import MASK_DECODER, ROLES, PipelineConfig, assemble
from hsmtss_jax.cli.doctor.checkpoint import examine_checkpoint, examine_room
from hsmtss_jax.cli.doctor.machine import examine_cache, examine_plugins, installed_version
from hsmtss_jax.cli.main import main
from hsmtss_jax.cli.model import ModelOptions
from hsmtss_jax.inference.memory import Need
from hsmtss_jax.testing.bundles import tiny_upstream

FREE = 1 << 40


@pytest.fixture
def doctor(capsys):
    """Run it; give (status, findings by name)."""

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
    parts = [found[role]["values"]["parameters"] for role in (*ROLES, MASK_DECODER)]
    assert sum(parts) == found["checkpoint"]["values"]["parameters"] == 41_279_676
    need = found["needs of memory"]["values"]
    assert need["weights"] == need["host_copy"] == 4 * sum(parts)
    assert need["host"] < need["free"] and need["rows"] == 2
    assert found["extras"]["values"]["dev"] is True


def test_as_text(capsys):
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line[:5].strip() in ("ok", "note") for line in lines)
    assert any("41,279,676 parameters" in line for line in lines)


def test_a_single_stage_pipeline_is_examined(tmp_path):
    roles = [role for role in ROLES if role != "joint_separator"] + ["single_stage"]
    for role, bundle in tiny_upstream(roles).items():
        save_bundle(tmp_path / role, bundle)
    bundles = {role: str(tmp_path / role) for role in roles}
    folder = assemble(PipelineConfig(bundles=bundles, separator="single_stage"), tmp_path / "out")
    findings = examine_checkpoint(ModelOptions(ckpt=str(folder)), FREE)
    found = {finding.name.strip(): finding for finding in findings}
    assert set(roles) <= set(found) and "joint_separator" not in found
    assert all(finding.status == "ok" for finding in findings)
    assert found["needs of memory"].values["activations"] > 0


def test_a_folder_that_is_no_checkpoint(doctor, tmp_path):
    status, found = doctor("--ckpt", str(tmp_path))
    assert status == 1 and "no pipeline.json" in found["checkpoint"]["text"]


NEED = Need(weights=1 << 30, cache=1 << 30, activations=0, host_copy=1 << 20)


def test_too_little_memory():
    cpu = types.SimpleNamespace(platform="cpu")
    (found,) = examine_room(NEED, 2, cpu, free=1 << 20)
    assert found.status == "bad" and "but 1.0 MiB are free" in found.text
    gpu = types.SimpleNamespace(platform="gpu", memory_stats=lambda: {"bytes_limit": 1 << 31})
    on_device, beside = examine_room(NEED, 2, gpu, FREE)
    assert (on_device.status, beside.status) == ("ok", "ok") and "2.0 GiB" in on_device.text
    unknown = types.SimpleNamespace(platform="gpu", memory_stats=lambda: None)
    assert examine_room(NEED, 2, unknown, FREE)[0].status == "note"


def test_plugins_must_fit():
    others = {"libtpu": "0.0.1", "jax-cuda12-plugin": "0.1.0"}
    findings = examine_plugins(lambda name: others.get(name, installed_version(name)))
    found = {finding.name: finding for finding in findings}
    assert "does not fit jaxlib" in found["gpu plugin"].text
    assert (found["gpu plugin"].status, found["tpu plugin"].status) == ("bad", "ok")


def test_a_missing_cache_is_a_note(tmp_path):
    assert examine_cache(None).status == "note"
    (tmp_path / "program").write_bytes(b"12345")
    assert examine_cache(tmp_path).values["bytes"] == 5


def test_bad_options(capsys):
    assert main(["doctor", "--batch", "0"]) == 2
    assert main(["doctor", "--cktp", "x"]) == 2
    assert "did you mean --ckpt?" in capsys.readouterr().err
