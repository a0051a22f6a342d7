"""H1 and H2 alone and together: one implementation, with dropout where there is a key."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.models.separators import predict_global, predict_local
from tests.models.system import query, semantics, system


@functools.cache
def two_stage():
    """(separators, parameters, mixture, condition, jitted call)."""
    networks, params = system()
    separators = networks.separators
    call = jax.jit(separators, static_argnames=("choose", "return_attention"))
    return separators, params["joint_separator"], semantics(), query().condition, call


def test_the_whole_is_h1_then_h2():
    separators, params, mixture, condition, call = two_stage()
    out = call(params, mixture, condition)
    h1, h2 = (jax.jit(f, static_argnums=0) for f in (predict_global, predict_local))
    g_hat = h1(separators.global_model, params["global"], mixture.g, condition)
    local = h2(separators.local_model, params["local"], mixture.s, g_hat, condition)
    np.testing.assert_allclose(out.g_hat, g_hat, atol=1e-5)
    np.testing.assert_allclose(out.s_hat, local.s_hat, atol=1e-5)


def test_h2_is_conditioned_on_what_was_chosen():
    _, params, mixture, condition, call = two_stage()
    plain = call(params, mixture, condition)
    chosen = call(params, mixture, condition, choose=lambda g_hat: jnp.zeros_like(g_hat))
    np.testing.assert_allclose(chosen.g_hat, plain.g_hat, atol=1e-5)
    assert np.abs(chosen.s_hat - plain.s_hat).max() > 1e-3


def test_keys_switch_dropout_on():
    _, params, mixture, condition, call = two_stage()
    plain = call(params, mixture, condition)
    keys = jax.random.split(jax.random.key(0))
    first, again = (call(params, mixture, condition, keys=(keys[0], keys[1])) for _ in range(2))
    other = call(params, mixture, condition, keys=(keys[1], keys[0]))
    np.testing.assert_array_equal(first.s_hat, again.s_hat)
    for one, two in ((first, plain), (first, other)):
        assert np.abs(one.g_hat - two.g_hat).max() > 1e-4
        assert np.abs(one.s_hat - two.s_hat).max() > 1e-4


def test_the_gradient_reaches_h1_through_the_predicted_g():
    separators, params, mixture, condition, _ = two_stage()

    @jax.jit
    def gradient(params):
        return jax.grad(lambda p: jnp.sum(separators(p, mixture, condition).s_hat ** 2))(params)

    sizes = [float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(gradient(params)["global"])]
    assert max(sizes) > 1e-6


def test_the_ablation_ignores_g():
    networks, params = system("single_stage")
    separators, mixture = networks.separators, semantics()
    condition = query("single_stage").condition
    call = jax.jit(separators)
    out = call(params["single_stage"], mixture, condition)
    other = call(params["single_stage"], mixture.replace(g=1e3 * mixture.g), condition)
    assert out.g_hat is None
    np.testing.assert_array_equal(out.s_hat, other.s_hat)
    without = mixture.replace(g=None)
    np.testing.assert_allclose(
        call(params["single_stage"], without, condition).s_hat, out.s_hat, atol=1e-6
    )


def test_texts_are_as_long_as_the_positions_allow():
    two, one = system()[0].separators, system("single_stage")[0].separators
    assert two.max_text == two.global_model.max_text - 1, "[CLS] takes a position"
    assert one.max_text == one.model.max_text
