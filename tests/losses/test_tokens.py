"""Token cross-entropy against a loop, its masks and its targets."""

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.losses.tokens import targets_with_end, token_cross_entropy


def test_targets_end_behind_the_last_frame():
    tokens = jnp.arange(6).reshape(1, 3, 2).repeat(2, axis=0)
    targets, valid = targets_with_end(tokens, jnp.array([3, 1]), 9)
    assert targets[0].tolist() == [[0, 1], [2, 3], [4, 5], [9, 9]]
    assert targets[1].tolist() == [[0, 1], [9, 9], [9, 9], [9, 9]]
    assert valid.tolist() == [[True] * 4, [True, True, False, False]]


def test_cross_entropy_is_the_mean_over_valid_frames_and_groups():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(2, 3, 2, 5)).astype(np.float32)
    targets = rng.integers(0, 5, size=(2, 3, 2))
    valid = np.array([[True, True, True], [True, False, False]])
    logp = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    nats = -np.take_along_axis(logp, targets[..., None], -1)[..., 0].mean(-1)
    scores = jax.jit(token_cross_entropy)(jnp.array(logits), jnp.array(targets), jnp.array(valid))
    np.testing.assert_allclose(scores.loss, nats[valid].mean(), rtol=1e-5)
    np.testing.assert_allclose(scores.cross_entropy, [nats[0].mean(), nats[1, 0]], rtol=1e-5)
    hits = (logits.argmax(-1) == targets).mean(-1)
    np.testing.assert_allclose(scores.accuracy, [hits[0].mean(), hits[1, 0]], rtol=1e-5)


def test_masked_frames_give_no_loss_and_no_gradient_even_when_not_finite():
    logits = jnp.zeros((1, 2, 1, 3)).at[0, 1].set(jnp.inf)
    targets, valid = jnp.zeros((1, 2, 1), jnp.int32), jnp.array([[True, False]])
    scores = jax.jit(token_cross_entropy)(logits, targets, valid)
    np.testing.assert_allclose(scores.loss, np.log(3), rtol=1e-6)
    finite = logits.at[0, 1].set(4.0)
    gradient = jax.jit(jax.grad(lambda x: token_cross_entropy(x, targets, valid).loss))(finite)
    assert np.all(np.asarray(gradient[0, 1]) == 0) and np.any(np.asarray(gradient[0, 0]) != 0)
