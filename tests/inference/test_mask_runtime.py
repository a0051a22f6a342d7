"""A mask separator's pipeline on a device: any rows and lengths, and the door that all systems share."""

import dataclasses

import numpy as np
import pytest

from hsmtss_jax.bundles.pipeline import PipelineConfig, write_pipeline
from hsmtss_jax.inference import Separator
from hsmtss_jax.inference.mask_runtime import MaskRuntime
from hsmtss_jax.inference.pretrained import hierarchical, is_hierarchical, load_runtime
from hsmtss_jax.testing.mask_systems import TINY, tiny_mask_pipeline


@pytest.fixture(scope="module")
def runtime():
    return MaskRuntime(tiny_mask_pipeline(), batch=2)


def test_sizes_come_from_the_network(runtime):
    assert (runtime.sample_rate, runtime.unit, runtime.window) == (8_000, TINY.hop, 80_000)
    with pytest.raises(ValueError, match="at least 1"):
        MaskRuntime(tiny_mask_pipeline(), batch=0)


def test_rows_do_not_depend_on_one_another(runtime):
    query = runtime.encode_text(["a bell", "a dog barking", "rain"])
    np.testing.assert_allclose(np.linalg.norm(query, axis=1), 1.0, atol=1e-5)
    audio = 0.1 * np.random.default_rng(0).normal(size=(3, 9_000)).astype(np.float32)
    together = runtime.separate(audio, query)
    assert together.shape == audio.shape and together.dtype == np.float32
    np.testing.assert_allclose(runtime.separate(audio[1:2], query[1:2]), together[1:2], atol=1e-6)
    assert np.abs(together[0] - runtime.separate(audio[:1], query[1:2])[0]).max() > 1e-5


def test_the_api_loads_it_like_any_other(runtime, tmp_path):
    config = PipelineConfig(bundles={}, separator="mask_separator", storage={"*": "float32"})
    folder = write_pipeline(config, runtime.pipeline.bundles, tmp_path / "audiosep")
    separator = Separator.from_pretrained(folder)
    assert (separator.sample_rate, separator.name, separator.modes) == (
        8_000,
        "audiosep",
        ("mask",),
    )
    assert separator.sampling is None
    sound = 0.1 * np.random.default_rng(1).normal(size=(20_000, 2)).astype(np.float32)
    result = separator.separate(sound, "remove the bell", sample_rate=16_000)
    np.testing.assert_allclose(result.target + result.residual, sound, atol=1e-6)
    direct = runtime.separate(sound[::2].T, np.repeat(runtime.encode_text(["the bell"]), 2, axis=0))
    assert direct.shape == (2, 10_000)


def test_the_stage_s_own_bundle_is_one_of_them():
    from hsmtss_jax.testing.bundles import tiny_upstream

    bundles = tiny_upstream(["text_encoder", "mask_separator"])
    pipeline = dataclasses.replace(tiny_mask_pipeline(), bundles=bundles)
    runtime = MaskRuntime(pipeline)
    sound = 0.1 * np.random.default_rng(1).normal(size=(8_000, 1)).astype(np.float32)
    result = Separator(runtime).separate(sound, "extract a bell", sample_rate=16_000)
    assert runtime.sample_rate == 16_000 and np.isfinite(result.target).all()


def test_what_needs_the_hierarchy_says_so(runtime):
    assert not is_hierarchical(runtime)
    with pytest.raises(ValueError, match="of the kind mask_separator, which has no parts"):
        hierarchical(runtime)


def test_damage_is_one_line(runtime, tmp_path):
    config = PipelineConfig(bundles={}, separator="mask_separator", storage={"*": "float32"})
    broken = dataclasses.replace(runtime.pipeline.bundles["mask_separator"], config={}, digest="")
    bundles = {**runtime.pipeline.bundles, "mask_separator": broken}
    folder = write_pipeline(config, bundles, tmp_path / "broken")
    with pytest.raises(ValueError, match="does not fit this version"):
        load_runtime(folder)
