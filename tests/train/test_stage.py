"""What every stage has: its bundles checked, its config completed, no panels unless it makes some."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.bundles.bundle import Bundle, save_bundle
from hsmtss_jax.train.stage import Stage, StepInput
from tests.train.toy import ToyModelConfig, ToyStage, toy_config

CONFIG = toy_config()


class Needing(ToyStage):
    """Needs two bundles and takes its width from one."""

    upstream_names = ("encoder", "codec")

    def complete(self, config):
        width = self.upstream["encoder"].config["width"]
        return dataclasses.replace(config, model=ToyModelConfig(width=width))

    def panels(self, inputs):
        return Stage.panels(self, inputs)


def bundles():
    params = {"kernel": np.ones(2, np.float32)}
    return {
        name: Bundle(stage=name, config={"name": name, "width": 6}, params=params)
        for name in Needing.upstream_names
    }


def test_a_stage_says_which_bundles_it_lacks():
    with pytest.raises(ValueError, match="stage 'toy' needs upstream bundles: codec"):
        Needing(CONFIG.stage, CONFIG.data, {"encoder": bundles()["encoder"]})


def test_sizes_come_from_the_bundles():
    stage = Needing(CONFIG.stage, CONFIG.data, bundles())
    assert stage.config.model.width == 6 and stage.dtype is jnp.float32
    assert ToyStage(CONFIG.stage, CONFIG.data).config == CONFIG.stage


def test_a_stage_is_loaded_from_its_experiment(tmp_path):
    upstream = {name: str(tmp_path / name) for name in Needing.upstream_names}
    for name, bundle in bundles().items():
        save_bundle(tmp_path / name, bundle)
    run = dataclasses.replace(CONFIG.run, dtype="bfloat16")
    stage = Needing.load(dataclasses.replace(CONFIG, upstream=upstream, run=run))
    assert stage.dtype is jnp.bfloat16 and set(stage.upstream) == {"encoder", "codec"}


def test_the_first_example_alone():
    batch = {"x": jnp.arange(6).reshape(3, 2), "y": jnp.arange(3)}
    inputs = StepInput({}, {}, {}, batch, jax.random.key(0), jnp.int32(7))
    first = inputs.first()
    assert {name: value.shape for name, value in first.batch.items()} == {"x": (1, 2), "y": (1,)}
    assert (
        int(first.step) == 7 and Needing(CONFIG.stage, CONFIG.data, bundles()).panels(first) == {}
    )


def test_a_bundle_of_another_kind_is_refused(tmp_path):
    codec = Bundle(stage="tf_codec", config={"name": "tf_codec"}, params={"w": np.ones(2)})
    save_bundle(tmp_path / "codec", codec)
    upstream = {"audio_mae": str(tmp_path / "codec")}
    with pytest.raises(ValueError, match=r"upstream\.audio_mae=.* is a bundle of tf_codec: give"):
        ToyStage.load(dataclasses.replace(CONFIG, upstream=upstream))
    start = {"initial_codec": str(tmp_path / "codec")}  # a name of its own stands for any
    assert ToyStage.load(dataclasses.replace(CONFIG, upstream=start)).upstream
