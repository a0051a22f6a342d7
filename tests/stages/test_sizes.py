"""Sizes that upstream bundles fix."""

import dataclasses

import pytest

from hsmtss_jax.models.captioner import CaptionerConfig
from hsmtss_jax.models.local_separator import LocalSeparatorConfig
from hsmtss_jax.stages.captioner import CaptionerStageConfig
from hsmtss_jax.stages.sizes import as_trained, inherit, with_sizes


def test_inherited_sizes_are_none_and_the_rest_stays():
    config = inherit(LocalSeparatorConfig(width=64, depth=3))
    assert (config.audio_width, config.time_patches, config.freq_patches) == (None, None, None)
    assert (config.width, config.depth, config.max_text) == (64, 3, 65)


def test_none_is_filled_in_and_a_number_must_agree():
    config = CaptionerStageConfig(model=inherit(CaptionerConfig(global_tokens=3)))
    sizes = {"width": 16, "freq_patches": 8}
    whole = with_sizes(config, sizes)
    assert whole.model == CaptionerConfig(global_tokens=3, width=16, freq_patches=8)
    assert with_sizes(whole, sizes) == whole  # an older checkpoint's, with numbers
    with pytest.raises(ValueError, match=r"stage\.model\.width=16, but the upstream bundle has 17"):
        with_sizes(whole, {"width": 17})


def test_a_network_goes_on_as_it_was_trained():
    trained = LocalSeparatorConfig(width=64, dropout=0.0)
    assert as_trained(None, trained, "stage.model", ()) is trained
    other = dataclasses.replace(trained, dropout=0.3)
    assert as_trained(other, trained, "stage.model", ("dropout",)) == other
    with pytest.raises(
        ValueError, match=r"stage\.model\.dropout=0\.3, but the upstream bundle has 0"
    ):
        as_trained(other, trained, "stage.model", ())
