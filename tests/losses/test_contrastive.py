"""ATC and ATM on cases that can be worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.losses.contrastive import (
    atc_loss,
    atm_loss,
    contrastive_targets,
    hard_negatives,
    same_caption,
    similarities,
)

IDS = jnp.array([7, 8, 7, 9])
negatives, matching = jax.jit(hard_negatives), jax.jit(atm_loss)


def test_equal_captions_are_positives():
    target = contrastive_targets(same_caption(IDS))
    np.testing.assert_allclose(target.sum(axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(target[0], [0.475, 0.025, 0.475, 0.025], atol=1e-6)


def test_similarities_are_cosines_over_the_temperature():
    audio, text = jnp.array([[1.0, 0.0], [0.6, 0.8]]), jnp.array([[0.0, 1.0], [1.0, 0.0]])
    found = similarities(audio, text, jnp.array(0.5))
    np.testing.assert_allclose(found, [[0.0, 2.0], [1.6, 1.2]], rtol=1e-6)


def test_atc_of_one_example_is_zero():
    assert atc_loss(jnp.array([[3.0]]), jnp.array([[True]]))[0] == 0.0


def test_atc_prefers_the_diagonal():
    same = jnp.eye(4, dtype=bool)
    right, wrong = (atc_loss(20.0 * x, same).mean() for x in (jnp.eye(4), jnp.eye(4)[::-1]))
    assert right < wrong


def test_hard_negatives_are_never_positives_and_prefer_the_similar():
    same = same_caption(IDS)
    similarity = jnp.zeros((4, 4)).at[0, 3].set(50.0)
    keys = jax.random.split(jax.random.key(0), 50)
    drawn = jax.jit(jax.vmap(hard_negatives, (0, None, None)))(keys, similarity, same)
    assert not same[drawn.audio, jnp.arange(4)[None, :]].any()
    assert not same[jnp.arange(4)[None, :], drawn.text].any()
    assert (drawn.text[:, 0] == 3).all() and (drawn.audio[:, 3] == 0).all()


def test_atm_of_certain_logits():
    yes, no, exist = jnp.array([[-50.0, 50.0]]), jnp.array([[50.0, -50.0]]), jnp.array([True])
    np.testing.assert_allclose(matching(yes, no, no, exist), 0.0, atol=1e-6)
    np.testing.assert_allclose(matching(no, no, no, exist), 100.0 / 3.0, rtol=1e-6)


def test_a_batch_of_one_caption_has_no_wrong_pairs():
    drawn = negatives(jax.random.key(0), jnp.eye(3), same_caption(jnp.array([5, 5, 5])))
    assert not drawn.exist.any()
    assert negatives(jax.random.key(0), jnp.eye(4), same_caption(IDS)).exist.all()
    yes = jnp.tile(jnp.array([[-50.0, 50.0]]), (3, 1))
    np.testing.assert_allclose(matching(yes, yes, yes, drawn.exist), 0.0, atol=1e-6)
    np.testing.assert_allclose(matching(yes, yes, yes, ~drawn.exist), 200.0 / 3.0, rtol=1e-6)
