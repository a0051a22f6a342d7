"""GRU: hand-written gradient, steps against the scan, parity with PyTorch."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.nn.recurrent import GRU, gru_scan
from hsmtss_jax.testing.jitted import Jitted


def _random(*shapes: tuple[int, ...]) -> list[jax.Array]:
    keys = jax.random.split(jax.random.key(0), len(shapes))
    return [jax.random.normal(k, s) * 0.5 for k, s in zip(keys, shapes, strict=True)]


def _scan_of_steps(inputs, h0, kernel, bias):
    def body(h, x):
        xr, xz, xn = jnp.split(x, 3, axis=-1)
        hr, hz, hn = jnp.split(h @ kernel + bias[None], 3, axis=-1)
        reset, update = jax.nn.sigmoid(xr + hr), jax.nn.sigmoid(xz + hz)
        h = (1 - update) * jnp.tanh(xn + reset * hn) + update * h
        return h, h

    return jnp.swapaxes(jax.lax.scan(body, h0, jnp.swapaxes(inputs, 0, 1))[1], 0, 1)


def test_scan_equals_steps_and_so_does_its_gradient():
    arguments = _random((2, 7, 12), (2, 4), (4, 12), (12,))
    (direction,) = _random((2, 7, 4))

    @functools.partial(jax.jit, static_argnums=0)
    def value_and_pull(scan, arguments):
        value, pull = jax.vjp(scan, *arguments)
        return value, pull(direction)

    got, pulled = value_and_pull(gru_scan, arguments)
    want, pulled_want = value_and_pull(_scan_of_steps, arguments)
    np.testing.assert_allclose(got, want, atol=1e-6)
    for a, b in zip(pulled, pulled_want, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_initial_state_is_learnt():
    model = Jitted(GRU(4))
    (x,) = _random((2, 5, 3))
    params = model.init(jax.random.key(0), x)["params"]
    grads = jax.jit(jax.grad(lambda p: jnp.sum(model.apply({"params": p}, x)[0] ** 2)))(params)
    assert params["initial_state"].shape == (4,)
    assert jnp.abs(grads["initial_state"]).max() > 1e-4


@pytest.mark.parity
def test_equals_torch():
    torch = pytest.importorskip("torch")
    reference = torch.nn.GRU(6, 5, batch_first=True)
    x, h0 = _random((2, 9, 6), (5,))
    state = {name: value.detach().numpy() for name, value in reference.named_parameters()}
    params = {
        "input_kernel": state["weight_ih_l0"].T,
        "recurrent_kernel": state["weight_hh_l0"].T,
        "input_bias": state["bias_ih_l0"],
        "recurrent_bias": state["bias_hh_l0"],
        "initial_state": np.asarray(h0),
    }
    start = torch.from_numpy(np.tile(np.asarray(h0), (1, 2, 1)))
    want, _ = reference(torch.from_numpy(np.array(x)), start)
    got, _ = Jitted(GRU(5)).apply({"params": params}, x)
    np.testing.assert_allclose(got, want.detach().numpy(), atol=1e-5)


def test_a_sequence_can_be_cut_anywhere():
    model = Jitted(GRU(6))
    (x,) = _random((2, 9, 3))
    variables = model.init(jax.random.key(0), x)
    whole, last = model.apply(variables, x)
    _, past = model.apply(variables, x[:, :0])
    parts = []
    for start, end in ((0, 4), (4, 5), (5, 9)):
        states, past = model.apply(variables, x[:, start:end], past)
        parts.append(states)
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-6)
    np.testing.assert_allclose(past, last, atol=1e-6)
