"""Training two networks against each other: a loss that rests until it starts, a pass that is shared.

Legend: B batch, L samples.
"""

from collections.abc import Callable
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp

from hsmtss_jax.train.stage import Tree


def loss_if(
    active: jax.Array, loss: Callable[[Tree], tuple[jax.Array, Tree]], x: Tree
) -> tuple[jax.Array, Tree]:
    """Compute ``loss(x)`` -> (scalar, values), or zeros and no work where ``active`` is False.

    Differentiable in x, once. The gradient is taken inside the branch: a differentiated ``cond`` would
    write all of the loss's activations, as zeros, when it is off.
    """
    fixed = jax.lax.stop_gradient(x)
    work = jax.value_and_grad(loss, has_aux=True)
    shapes = jax.eval_shape(work, fixed)
    nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
    (value, extra), gradient = jax.lax.cond(active, work, lambda _: nothing, fixed)
    moved = jax.tree.map(lambda g, a, b: jnp.sum(g * (a - b)), gradient, x, fixed)
    return value + sum(jax.tree.leaves(moved)), extra


@flax.struct.dataclass
class Pass:
    """Hold a forward pass that two losses share: its output, and its pullback to the parameters."""

    out: Any
    pull: Any


def run_once(forward: Callable[[Tree], tuple[Any, Tree]], params: Tree) -> tuple[Pass, Tree]:
    """Run ``forward(params) -> (output, values)``; return the pass and the values.

    ``replay`` gives the output again, differentiable, in a loss that is computed later in the same step.
    """
    out, pull, values = jax.vjp(forward, params, has_aux=True)
    return Pass(out, pull), values


@jax.custom_vjp
def replay(params: Tree, done: Pass) -> Any:
    """Return the output of a pass; its gradient goes to ``params``, which the pass was made with."""
    return done.out


def _replay_forward(params: Tree, done: Pass) -> tuple[Any, Any]:
    return done.out, done.pull


def _replay_backward(pull: Any, cotangent: Any) -> tuple[Tree, None]:
    return (*pull(cotangent), None)


replay.defvjp(_replay_forward, _replay_backward)
