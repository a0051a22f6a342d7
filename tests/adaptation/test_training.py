"""Which networks are tuned, and from what."""

import pytest

from hsmtss_jax.adaptation.adapt import load_whole
from hsmtss_jax.adaptation.training import TuningConfig, experiment_of, tuned_roles
from hsmtss_jax.testing.bundles import tiny_upstream


def test_the_separator_comes_before_what_it_steers():
    bundles = tiny_upstream(["audio_mae", "mask_decoder", "joint_separator"])
    assert tuned_roles(bundles) == ["joint_separator", "mask_decoder"]


def test_nothing_to_tune():
    with pytest.raises(ValueError, match="nothing of this pipeline can be tuned"):
        tuned_roles(tiny_upstream(["audio_mae"]))


def test_an_experiment_goes_on_from_the_bundle(base, tmp_path):
    bundles = load_whole(base).bundles
    folders = {role: bundle.path for role, bundle in bundles.items()}
    config = TuningConfig(share=0.3, overrides=("run.log_every=7",))
    sets = (tmp_path / "new", tmp_path / "old")
    made = experiment_of("mask_decoder", bundles["mask_decoder"], sets, folders, tmp_path, config)
    assert [(each.name, each.weight) for each in made.data.sets] == [("new", 0.3), ("old", 0.7)]
    assert made.run.init_from == str(base / "mask_decoder") and made.run.log_every == 7
    assert made.stage.model.channels == tuple(bundles["mask_decoder"].config["model"]["channels"])
