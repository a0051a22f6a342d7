"""The frozen encoders: shapes, units, no gradient, padding."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.models.audio_mae import AudioMAEConfig
from hsmtss_jax.models.semantics import Encoders
from hsmtss_jax.testing.encoders import stub
from tests.models.system import IDS, MASK, SAMPLES, semantics, system

OF_SOUND = ("global_", "audio_vector")
OF_TEXT = ("raw_text", "text", "text_vector")


@functools.cache
def call(name: str):
    networks, params = system()
    return functools.partial(jax.jit(getattr(networks.encoders, name)), params)


def test_sound_becomes_patches_and_one_vector():
    encoders = system()[0].encoders
    found, config = semantics(), encoders.audio_mae
    assert found.s.shape == (2, config.patches, config.width) and found.s.dtype == jnp.float32
    assert found.g.shape[:2] == (2, 1) and found.g.dtype == jnp.float32
    audio = 0.1 * np.random.default_rng(0).normal(size=(2, SAMPLES)).astype(np.float32)
    s = call("local")(audio)
    np.testing.assert_allclose(s[0], found.s[0], atol=1e-5)
    assert np.abs(s[1] - found.s[1]).max() > 1e-3, "its second half was silent"
    np.testing.assert_allclose(call("global_")(found.s), found.g, atol=1e-5)


def test_words_become_tokens_behind_cls():
    t_cap, mask = call("text")(IDS, MASK)
    assert t_cap.shape[:2] == mask.shape == (2, IDS.shape[1] + 1)
    np.testing.assert_array_equal(mask, np.pad(MASK, ((0, 0), (1, 0)), constant_values=True))
    raw = call("raw_text")(IDS, MASK)
    assert raw.shape == (2, IDS.shape[1], system()[0].encoders.text_encoder.width)


@pytest.mark.parametrize("name", OF_TEXT)
def test_padding_tokens_are_not_seen(name):
    pick = {"raw_text": lambda x: x[MASK], "text": lambda x: x[0][x[1]]}.get(name, np.asarray)
    plain = call(name)(IDS, MASK)
    other = call(name)(np.where(MASK, IDS, 9), MASK)
    np.testing.assert_allclose(pick(plain), pick(other), atol=1e-5)


def test_vectors_have_unit_length_and_agree_on_either_way():
    s = semantics()
    t_cap, _ = call("text")(IDS, MASK)
    z_text = call("text_vector")(IDS, MASK)
    np.testing.assert_allclose(call("caption_vector")(t_cap), z_text, atol=1e-5)
    z_audio = call("audio_vector")(s.s)
    np.testing.assert_allclose(call("global_vector")(s.g), z_audio, atol=1e-5)
    for z in (z_text, z_audio):
        np.testing.assert_allclose(np.linalg.norm(z, axis=1), 1.0, rtol=1e-5)


def test_a_task_is_rows_of_the_token_table():
    networks, params = system()
    table = networks.encoders.token_table(params)
    task, mask = call("task")(np.array([1, 0], np.int32))
    ids = networks.encoders.tasks.ids[[1, 0]]
    np.testing.assert_array_equal(task, np.asarray(table)[ids])
    assert mask.any(axis=1).all() and mask.shape == task.shape[:2]


@pytest.mark.parametrize("name", OF_SOUND)
def test_nothing_is_learnt_here(name):
    networks, params = system()
    function = getattr(networks.encoders, name)
    gradient = jax.jit(jax.grad(lambda s: jnp.sum(function(params, s))))(semantics().s)
    assert not np.any(gradient)


def test_outputs_are_float32_in_any_compute_type():
    networks, params = system()
    half = dataclasses.replace(networks.encoders, dtype=jnp.bfloat16)
    g = jax.jit(half.global_)(params, semantics().s)
    assert g.dtype == jnp.float32
    np.testing.assert_allclose(g, semantics().g, atol=0.1 * float(np.abs(semantics().g).max()))


def test_only_audio_mae_must_be_there():
    alone = Encoders(AudioMAEConfig())
    assert alone.fbank == AudioMAEConfig().fbank
    with pytest.raises(AttributeError):
        alone.global_({}, jnp.zeros((1, 2, 3)))


def test_stand_ins_replace_the_networks_they_are_given_for():
    encoders = stub(system()[0].encoders, local_fn=lambda params, audio: audio[:, None, :4])
    np.testing.assert_array_equal(encoders.local({}, np.ones((2, 9))), np.ones((2, 1, 4)))
    assert encoders.fbank == system()[0].encoders.fbank
