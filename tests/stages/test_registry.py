"""Stages by name, and a stage built from an experiment with its upstream bundles."""

import jax.numpy as jnp
import pytest

from hsmtss_jax.bundles.bundle import save_bundle
from hsmtss_jax.config import load_config
from hsmtss_jax.conversion import override
from hsmtss_jax.stages import STAGES, load_stage, stage_class
from hsmtss_jax.testing.bundles import tiny_upstream
from hsmtss_jax.train.stage import Stage


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_and_its_config_have_its_name(name):
    found = stage_class(name)
    assert issubclass(found, Stage)
    assert found.config_class().name == name


def test_an_unknown_stage_is_refused():
    with pytest.raises(ValueError, match="unknown stage 'fly': choose one of audio_mae, q_audio"):
        stage_class("fly")


def test_a_stage_is_built_from_its_experiment(tmp_path):
    names = ("audio_mae", "tf_codec")
    for name, bundle in tiny_upstream(names).items():
        save_bundle(tmp_path / name, bundle)
    paths = [f"upstream.{name}={tmp_path / name}" for name in names]
    config = override(load_config("acoustic_decoder", "tiny"), [*paths, "run.dtype=bfloat16"])
    assert config.stage.model.groups is None
    stage = load_stage(config)
    assert stage.config.model.groups == 4 and stage.dtype is jnp.bfloat16
    with pytest.raises(FileNotFoundError, match="no bundle at"):
        load_stage(override(config, ["upstream.tf_codec=absent"]))
