"""Every system goes through one door: what the API asks of it, it answers."""

import numpy as np
import pytest

from hsmtss_jax.inference import Separator
from hsmtss_jax.inference.options import SeparateOptions
from hsmtss_jax.inference.stopwatch import Stopwatch
from hsmtss_jax.inference.system import Renderer, System, WindowSeparator
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.testing.fake_runtime import FakeRuntime
from hsmtss_jax.testing.mask_systems import FakeMaskSystem

SYSTEMS = [FakeRuntime(), FakeMaskSystem({"bell": 0.5})]


def members(protocol):
    return [name for name in vars(protocol) if not name.startswith("_")]


@pytest.mark.parametrize("system", SYSTEMS, ids=["hierarchical", "mask"])
def test_a_system_has_all_that_is_asked_of_it(system):
    for name in (*members(System), *System.__annotations__):
        assert hasattr(system, name), name
    asked = [Instruction("extract", "bell")]
    separator = system.begin(SeparateOptions(), asked, Stopwatch(), cache_bytes=0)
    for name in members(WindowSeparator):
        assert hasattr(separator, name), name
    assert members(Renderer) == ["push"]


@pytest.mark.parametrize("system", SYSTEMS, ids=["hierarchical", "mask"])
def test_the_same_call_serves_every_system(system):
    sound = 0.1 * np.random.default_rng(0).normal(size=(30_000, 2)).astype(np.float32)
    result = Separator(system).separate(sound, "extract the bell", sample_rate=16_000, mode="mask")
    assert result.target.shape == sound.shape
    np.testing.assert_allclose(result.target + result.residual, sound, atol=1e-6)
