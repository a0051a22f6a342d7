"""From a name to a runtime, or to one line that says what is wrong."""

import dataclasses

import numpy as np
import pytest

from hsmtss_jax.bundles.bundle import save_bundle
from hsmtss_jax.bundles.pipeline import ROLES, PipelineConfig, assemble
from hsmtss_jax.inference.pretrained import load_runtime
from hsmtss_jax.testing.bundles import tiny_upstream


@pytest.fixture
def paths(tmp_path):
    """The folders of tiny bundles by role."""
    folders = {}
    for role, bundle in tiny_upstream(ROLES).items():
        folders[role] = str(tmp_path / "bundles" / role)
        save_bundle(folders[role], bundle)
    return folders


def test_a_folder_is_loaded_on_the_device_that_is_named(paths, tmp_path):
    folder = assemble(PipelineConfig(bundles=paths), tmp_path / "pipeline")
    runtime = load_runtime(folder, "float32", "cpu:1", 3)
    assert runtime.batch == 3 and runtime.device.id == 1
    assert runtime.pipeline.path == folder and runtime.dtype == np.float32


def test_what_cannot_be_loaded_is_told():
    with pytest.raises(OSError, match="nobody/nothing"):
        load_runtime("nobody/nothing")
    with pytest.raises(ValueError, match="unknown dtype"):
        load_runtime(dtype="int3")
    with pytest.raises(ValueError, match="no device 'abacus'"):
        load_runtime(device="abacus")


def test_a_bundle_of_another_version_is_one_line(paths, tmp_path):
    codec = tiny_upstream(["tf_codec"])["tf_codec"]
    foreign = dataclasses.replace(codec, config={"no_model": {}})
    save_bundle(paths["tf_codec"], foreign)
    folder = assemble(PipelineConfig(bundles=paths), tmp_path / "pipeline")
    with pytest.raises(ValueError, match=r"does not fit this version \(KeyError: 'model'\)"):
        load_runtime(folder)
