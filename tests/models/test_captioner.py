"""The prefix of GPT-2: which token stands for what, and whose language model it is."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.models.captioner import CaptionerConfig, caption_prefix, language_model
from tests.models.system import SAMPLES, semantics, system

WIDTH = 12


def config(use_local: bool) -> CaptionerConfig:
    bands = system()[0].encoders.audio_mae.n_mels // system()[0].encoders.audio_mae.patch
    return CaptionerConfig(global_tokens=3, width=WIDTH, use_local=use_local, freq_patches=bands)


@pytest.mark.parametrize("use_local", [False, True])
def test_a_token_a_column_follows_those_of_g(use_local):
    cfg, found = config(use_local), semantics()
    module = cfg.make()
    out, variables = jax.jit(module.init_with_output)(jax.random.key(0), found.g, found.s)
    columns = found.s.shape[1] // cfg.freq_patches
    assert out.shape == (2, 3 + use_local * columns, WIDTH)
    apply = jax.jit(module.apply)
    other = apply(variables, found.g, found.s.at[:, : cfg.freq_patches].add(1.0))  # first column
    changed = np.abs(other - out).max(axis=(0, 2)) > 1e-5
    assert changed.tolist() == [False] * 3 + ([True] + [False] * (columns - 1)) * use_local
    assert (np.abs(apply(variables, -found.g, found.s) - out).max(axis=(0, 2)) > 1e-5)[:3].all()


def test_the_map_is_linear():
    module, found = config(True).make(), semantics()
    out, variables = jax.jit(module.init_with_output)(jax.random.key(0), found.g, found.s)
    double = jax.jit(module.apply)(variables, 2 * found.g, 2 * found.s)
    np.testing.assert_allclose(double, 2 * out, rtol=1e-4, atol=1e-5)  # biases begin at zero


def test_the_prefix_of_audio_is_that_of_its_features():
    networks, frozen = system()
    module, cfg = config(True).make(), config(True)
    audio = 0.1 * np.random.default_rng(0).normal(size=(1, SAMPLES)).astype(np.float32)
    encode = jax.jit(networks.encoders.encode)
    found = encode(frozen, audio)
    params = {"map": jax.jit(module.init)(jax.random.key(0), found.g, found.s)["params"]}
    prefix = jax.jit(lambda p, f, x: caption_prefix(cfg, networks.encoders, p, f, x))
    expected = jax.jit(module.apply)({"params": params["map"]}, found.g, found.s)
    np.testing.assert_allclose(prefix(params, frozen, audio), expected, atol=1e-5)


def test_a_fine_tuned_gpt2_comes_first():
    own, theirs = {"w": jnp.ones(1)}, {"w": jnp.zeros(1)}
    assert language_model({"map": {}, "gpt2": own}, {"gpt2": theirs}) is own
    assert language_model({"map": {}}, {"gpt2": theirs}) is theirs
