"""HSM-TSS eq. (5) to (8) on small arrays with known answers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.losses import separation


def _pair(shape: tuple[int, ...] = (3, 1, 8)) -> tuple[jax.Array, jax.Array]:
    rng = np.random.default_rng(0)
    return tuple(jnp.asarray(rng.normal(size=shape), jnp.float32) for _ in range(2))


def test_equal_features_cost_nothing():
    g, _ = _pair()
    np.testing.assert_allclose(separation.global_loss(g, g), np.zeros(3), atol=1e-6)
    s, _ = _pair((3, 16, 8))
    np.testing.assert_array_equal(separation.local_loss(s, s), np.zeros(3))


def test_global_loss_is_the_weighted_sum_of_its_two_terms():
    g, target = _pair()
    a, b = np.asarray(g)[:, 0], np.asarray(target)[:, 0]
    cosine = (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)
    distance = np.abs(a - b).mean(-1)
    np.testing.assert_allclose(separation.similarity_loss(g, target), 1 - cosine, rtol=1e-5)
    np.testing.assert_allclose(separation.global_loss(g, target), 1 - cosine + distance, rtol=1e-5)
    weighted = separation.global_loss(g, target, similarity_weight=0.5, l1_weight=2.0)
    np.testing.assert_allclose(weighted, 0.5 * (1 - cosine) + 2 * distance, rtol=1e-5)


def test_similarity_ignores_scale_and_l1_does_not():
    g, _ = _pair()
    np.testing.assert_allclose(separation.similarity_loss(3.0 * g, g), np.zeros(3), atol=1e-6)
    assert np.all(np.asarray(separation.l1_loss(3.0 * g, g)) > 0.1)


def test_local_loss_is_a_mean_over_patches_and_channels_of_each_example():
    s, target = _pair((2, 16, 8))
    expected = np.abs(np.asarray(s) - np.asarray(target)).mean((1, 2))
    np.testing.assert_allclose(separation.local_loss(s, target), expected, rtol=1e-5)
    halved = separation.local_loss(s, target, jnp.full((8,), 2.0))
    np.testing.assert_allclose(halved, expected / 2, rtol=1e-5)


def test_low_precision_inputs_are_compared_in_float32():
    g, target = (x.astype(jnp.bfloat16) for x in _pair())
    assert separation.global_loss(g, target).dtype == jnp.float32


@pytest.mark.parametrize("zero", [0, 1])
def test_an_all_zero_feature_has_a_finite_loss_and_gradient(zero: int):
    pair = list(_pair())
    pair[zero] = jnp.zeros_like(pair[zero])
    loss = jax.jit(lambda g: separation.global_loss(g, pair[1]).mean())
    assert np.isfinite(loss(pair[0]))
    assert np.all(np.isfinite(jax.grad(loss)(pair[0])))
