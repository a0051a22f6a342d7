"""Which bundles a command loads, and where it runs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.bundles.bundle import Bundle, save_bundle
from hsmtss_jax.cli.model import ModelOptions, StageBundles, load_bundles, on_device


def test_a_bundle_that_is_given_wins_over_the_pipelines(tmp_path):
    save_bundle(tmp_path / "mae", Bundle("audio_mae", {}, {"kernel": np.ones(2, np.float32)}))
    given = StageBundles(audio_mae=str(tmp_path / "mae"))
    bundles = load_bundles(None, given, ["audio_mae", "q_audio"])
    assert bundles["audio_mae"].path == tmp_path / "mae"
    assert bundles["q_audio"].path.parent.name == "demo"
    with pytest.raises(ValueError, match="--ckpt is of no use"):
        load_bundles("somewhere", given, ["audio_mae"])
    with pytest.raises(ValueError, match="is a bundle of audio_mae, not of q_audio"):
        load_bundles(None, StageBundles(q_audio=str(tmp_path / "mae")), ["q_audio"])


def test_what_runs_inside_is_on_the_device():
    with on_device(ModelOptions(device="cpu:1")) as dtype:
        assert dtype == jnp.float32
        assert jnp.zeros(1).device == jax.devices("cpu")[1]
    with on_device(ModelOptions(dtype="bfloat16")) as dtype:
        assert dtype == jnp.bfloat16


def test_an_unknown_device_is_refused():
    with pytest.raises(ValueError, match="no device"), on_device(ModelOptions(device="abacus")):
        pass
