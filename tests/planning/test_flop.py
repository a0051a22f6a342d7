"""FLOP of a program, against what is known in closed form."""

import jax
import jax.numpy as jnp
import pytest

from hsmtss_jax.planning.flop import Work, work_of
from hsmtss_jax.speed.audio_mae import step_flop
from hsmtss_jax.testing.bundles import make_stage, step_input


def work(function, *shapes):
    return work_of(jax.make_jaxpr(function)(*map(jnp.zeros, shapes)))


def test_a_product_and_its_gradient():
    assert work(jnp.matmul, (3, 5), (5, 7)) == Work(2 * 3 * 5 * 7, 0)
    gradient = jax.grad(lambda a, b: jnp.sum(jnp.sin(a @ b)), argnums=(0, 1))
    assert work(gradient, (3, 5), (5, 7)).flop == 3 * 2 * 3 * 5 * 7


def test_loops_count_their_turns():
    def loop(x):
        return jax.lax.scan(lambda c, _: (c @ c, None), x, None, length=10)[0]

    assert work(loop, (4, 4)) == Work(10 * 2 * 4**3, 10)
    assert work(lambda x: jax.vmap(loop)(x), (6, 4, 4)) == Work(6 * 10 * 2 * 4**3, 10)


def test_of_branches_the_largest_counts():
    def branch(x):
        return jax.lax.cond(x[0, 0] > 0, lambda x: x @ x, lambda x: x, x)

    assert work(branch, (4, 4)).flop == 2 * 4**3


def test_a_convolution_and_the_transposed_one_cost_the_same():
    def down(x, k):
        return jax.lax.conv_general_dilated(
            x, k, (2,), "SAME", dimension_numbers=("NWC", "WIO", "NWC")
        )

    def up(x, k):
        return jax.lax.conv_transpose(x, k, (2,), "SAME", dimension_numbers=("NWC", "WIO", "NWC"))

    assert work(down, (2, 64, 3), (4, 3, 5)).flop == 2 * 2 * 32 * 5 * 4 * 3
    assert work(up, (2, 32, 5), (4, 5, 3)).flop == 2 * 2 * 64 * 3 * 4 * 5 / 2


def test_a_remade_activation_counts_again():
    plain = work(jax.grad(lambda a: jnp.sum(jnp.sin(jnp.sin(a @ a) @ a))), (4, 4))
    again = work(
        jax.grad(lambda a: jnp.sum(jax.checkpoint(lambda x: jnp.sin(jnp.sin(x @ x) @ x))(a))),
        (4, 4),
    )
    assert again.flop > plain.flop


def test_a_stage_s_step_against_its_closed_form():
    stage = make_stage("audio_mae", "base", abstract=True)
    params, aux = jax.eval_shape(lambda b: stage.init(jax.random.key(0), b, {}), stage.batch_spec())

    def loss(params, batch):
        inputs = step_input(stage, {"model": params}, batch, aux=aux)
        return stage.objectives()["model"](inputs)[0]

    counted = work_of(jax.make_jaxpr(jax.grad(loss))(params["model"], stage.batch_spec())).flop
    known = stage.data.batch_size * step_flop(stage.config.model)
    assert counted == pytest.approx(known, rel=0.1)  # the form leaves out log-mel and embeddings
