"""HSM-TSS eq. (2) to (4) fit together; rows do not know of one another."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.models import hsm_tss
from hsmtss_jax.models.acoustic_decoder.sampler import sample
from hsmtss_jax.sampling.policies import Policy
from tests.models.system import IDS, MASK, TASK, query, semantics, system

POLICY = Policy(temperature=1.0, top_k=5)
SHORT = 3200  # samples to generate: eleven token frames


@functools.cache
def compiled(name: str, separator: str = "joint_separator"):
    networks, params = system(separator)
    static = ("policy", "samples") if name == "generate" else ()
    function = functools.partial(getattr(hsm_tss, name), networks)
    return functools.partial(jax.jit(function, static_argnames=static), params)


def test_separating_is_equation_two_then_three():
    mixture, asked = semantics(), query()
    g = compiled("separate_global")(mixture, asked)
    s = compiled("separate_local")(mixture, g, asked)
    both = compiled("separate")(mixture, asked)
    assert g.shape == mixture.g.shape and s.shape == mixture.s.shape
    np.testing.assert_allclose(both.g, g, atol=1e-5)
    np.testing.assert_allclose(both.s, s, atol=1e-5)


def test_a_given_g_takes_the_place_of_the_predicted_one():
    mixture, asked = semantics(), query()
    predicted = compiled("separate")(mixture, asked)
    same = compiled("separate")(mixture, asked, predicted.g)
    np.testing.assert_allclose(same.s, predicted.s, atol=1e-5)
    other = compiled("separate")(mixture, asked, -predicted.g)
    np.testing.assert_array_equal(other.g, -predicted.g)
    assert np.abs(other.s - predicted.s).max() > 1e-3


def test_words_and_task_are_read():
    mixture, asked = semantics(), query()
    swapped = jax.tree.map(lambda x: x[::-1], asked)
    task = dataclasses.replace(
        asked, condition=asked.condition._replace(task=asked.condition.task[::-1])
    )
    s = compiled("separate")(mixture, asked).s
    for other in (swapped, task):
        assert np.abs(compiled("separate")(mixture, other).s - s).max() > 1e-3


def test_a_query_is_as_long_as_the_separators_read_whatever_its_padding():
    networks, _ = system()
    asked = query()
    assert asked.condition.text.shape[1] == networks.separators.max_text + 1  # [CLS]
    assert asked.condition.text_mask.sum(axis=1).tolist() == [6, 4]
    np.testing.assert_allclose(np.linalg.norm(asked.vector, axis=1), 1.0, rtol=1e-5)
    again = compiled("encode_query")(*(np.pad(x, ((0, 0), (0, 2))) for x in (IDS, MASK)), TASK)
    seen = asked.condition.text_mask
    np.testing.assert_array_equal(again.condition.text_mask, seen)
    np.testing.assert_allclose(again.condition.text[seen], asked.condition.text[seen], atol=1e-5)
    np.testing.assert_allclose(again.vector, asked.vector, atol=1e-5)


@pytest.mark.optimized
def test_generating_is_sampling_then_decoding(rounding):
    networks, params = system()
    s, seeds = semantics().s, np.array([3, 4], np.uint32)
    sound = compiled("generate")(s, seeds, policy=POLICY, samples=SHORT)
    frames = networks.codec.token_frames(SHORT)
    visible = hsm_tss.visible_patches(networks, jnp.full(2, frames))

    draw = jax.jit(sample, static_argnums=(0, 3, 5))
    decoder = params["acoustic_decoder"]
    tokens = draw(networks.decoder, decoder, s, frames, seeds, POLICY, prefix_mask=visible)
    decode = jax.jit(functools.partial(hsm_tss.decode, networks), static_argnums=2)
    assert sound.shape == (2, SHORT) and np.abs(sound).max() <= 1
    np.testing.assert_allclose(sound, decode(params, tokens, SHORT), atol=rounding)


def test_a_row_does_not_depend_on_its_neighbours():
    mixture, asked = semantics(), query()
    there = compiled("separate")(mixture, asked)
    back = compiled("separate")(*jax.tree.map(lambda x: x[::-1], (mixture, asked)))
    np.testing.assert_allclose(back.s[::-1], there.s, atol=1e-5)
    seeds = np.array([3, 4], np.uint32)
    sound = compiled("generate")(mixture.s, seeds, policy=POLICY, samples=SHORT)
    turned = compiled("generate")(mixture.s[::-1], seeds[::-1], policy=POLICY, samples=SHORT)
    np.testing.assert_allclose(turned[::-1], sound, atol=1e-5)
    alike = compiled("generate")(mixture.s, seeds[[0, 0]], policy=POLICY, samples=SHORT)
    np.testing.assert_allclose(alike[0], sound[0], atol=1e-5)
    assert np.abs(alike[1] - sound[1]).max() > 1e-4, "another seed is another sound"


def test_patches_behind_the_end_are_hidden_where_training_hid_them():
    networks, _ = system()
    frames = jnp.array([8, networks.decoder.max_frames])
    hiding = dataclasses.replace(networks, mask_padding=True)
    assert hsm_tss.visible_patches(hiding, frames).sum(axis=1).tolist() == [
        networks.decoder.freq_patches,
        networks.decoder.patches,
    ]
    showing = dataclasses.replace(networks, mask_padding=False)
    assert hsm_tss.visible_patches(showing, frames).all()


def test_the_global_token_s_attention_is_a_share_for_each_patch():
    shares = compiled("global_attention")(semantics(), query())
    assert shares.shape[0] == 2 and shares.shape[-1] == semantics().s.shape[1]
    assert (shares >= 0).all() and (shares.sum(axis=-1) <= 1 + 1e-5).all()


def test_the_ablation_has_no_global_stage():
    networks, params = system("single_stage")
    mixture, asked = semantics(), query("single_stage")
    assert not networks.two_stage
    for function in ("separate_global", "global_attention"):
        with pytest.raises(ValueError, match="single-stage"):
            getattr(hsm_tss, function)(networks, params, mixture, asked)
    separate = compiled("separate", "single_stage")
    found, told = separate(mixture, asked), separate(mixture, asked, -mixture.g)
    np.testing.assert_allclose(told.s, found.s, atol=1e-6)
    read = jax.jit(networks.encoders.global_)(params, found.s)
    np.testing.assert_allclose(found.g, read, atol=1e-5)
