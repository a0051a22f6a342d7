"""The state before the first update, and the parameters that are judged."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from hsmtss_jax.train.state import create_state, eval_params


def make():
    params = {"first": {"w": jnp.ones(3)}, "second": {"w": jnp.zeros(2)}}
    optimizers = {"first": optax.adam(1e-3), "second": optax.sgd(1e-3)}
    return create_state(params, {"count": jnp.zeros(())}, optimizers, {"first"})


def test_nothing_has_happened_yet():
    state = make()
    assert int(state.step) == int(state.skipped) == 0
    assert state.step.dtype == state.skipped.dtype == jnp.int32
    assert set(state.opt_state) == {"first", "second"}


def test_an_average_is_a_copy_for_the_state_is_donated():
    state = make()
    assert set(state.ema) == {"first"}
    np.testing.assert_array_equal(state.ema["first"]["w"], state.params["first"]["w"])
    donate = jax.jit(lambda state: state.replace(step=state.step + 1), donate_argnums=0)
    assert int(donate(state).step) == 1  # refused where a buffer is donated twice


def test_the_average_is_judged_where_one_is_kept():
    state = make().replace(ema={"first": {"w": jnp.full(3, 5.0)}})
    judged = eval_params(state)
    assert float(judged["first"]["w"][0]) == 5.0 and float(judged["second"]["w"][0]) == 0.0
