"""Timing: what counts, in which order, and what the table says."""

import time

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.speed.timing import (
    LargeProduct,
    Measured,
    Timing,
    compiled,
    in_turn,
    steady,
    table,
    time_step,
)


def test_compile_time_is_apart_and_the_median_counts():
    program = compiled(jnp.sin, np.ones(8, np.float32))
    assert program.compile_seconds > 0
    np.testing.assert_allclose(program(), np.sin(np.ones(8)), rtol=1e-6)
    waits = iter([0.0, 0.0, 0.0, 0.02])
    assert steady(lambda: time.sleep(next(waits)), 3) < 0.01
    row = Measured("x", Timing(0.5), examples=4, flop=1e9, limit=4e9)
    assert row.examples_per_second == 8 and row.share == 0.5


def test_calls_take_turns():
    order: list[str] = []
    seconds = in_turn([lambda: order.append("a"), lambda: order.append("b")], 2)
    assert order == ["a", "b"] * 3 and len(seconds) == 2


def test_a_step_that_consumes_its_state_goes_on_with_the_new_one():
    step = jax.jit(lambda state, x: (state + x, state), donate_argnums=0)
    timing = time_step(step, jnp.zeros(4), jnp.ones(4), repeats=2)
    assert timing.compile_seconds > 0 and timing.seconds > 0


def test_a_large_product_knows_its_work():
    product = LargeProduct(jnp.float32, size=8)
    product()
    assert product.flop == 2 * 8**3


def test_the_table_leaves_out_what_was_not_measured():
    rows = [
        Measured("ours", Timing(0.5, 3.0), examples=4, flop=1e9, limit=4e9),
        Measured("theirs", Timing(2.0), examples=4),
    ]
    ours, theirs = table(rows).to_markdown().splitlines()[2:]
    assert ours == "| ours | 0.5 | 3.0 | 8 | 2 | 50 |"
    assert theirs == "| theirs | 2 | - | 2 | - | - |"
