"""Parts of a training of two networks against each other."""

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.stages.adversarial import loss_if, replay, run_once


def test_loss_if_has_the_loss_and_its_gradient_or_nothing():
    def loss(x):
        return jnp.sum(x**3), jnp.max(x)

    def run(active, x):
        return loss_if(active, loss, x)

    x = jnp.asarray([1.0, 2.0])
    (value, extra), grad = jax.jit(jax.value_and_grad(run, argnums=1, has_aux=True))(True, x)
    assert (float(value), float(extra)) == (9.0, 2.0)
    np.testing.assert_allclose(grad, 3 * x**2)
    (value, _), grad = jax.jit(jax.value_and_grad(run, argnums=1, has_aux=True))(False, x)
    assert float(value) == 0.0 and float(jnp.abs(grad).max()) == 0.0


def test_a_pass_that_is_replayed_has_its_own_gradient():
    def forward(params):
        out = {"wave": jnp.sin(params["a"]) * params["b"], "tokens": jnp.arange(3)}
        return out, params["a"] + 1

    def loss(out):
        return jnp.sum(out["wave"] ** 2)

    @jax.jit
    def shared(params):
        done, values = run_once(forward, params)
        value, grad = jax.value_and_grad(lambda p: loss(replay(p, done)))(params)
        return value, grad, values

    params = {"a": jnp.asarray([0.1, 0.2, 0.3]), "b": jnp.asarray(2.0)}
    value, grad, values = shared(params)
    expected, expected_grad = jax.value_and_grad(lambda p: loss(forward(p)[0]))(params)
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), grad, expected_grad)
    np.testing.assert_allclose(values, params["a"] + 1)
