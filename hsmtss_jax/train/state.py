"""Everything that changes while training, as one pytree."""

from collections.abc import Mapping
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import optax

Tree = Any


@flax.struct.dataclass
class TrainState:
    """Hold the state. step: int32, updates attempted. skipped: int32, updates dropped as not finite.

    params, opt_state, ema: by group; ema holds only the groups that keep an average.
    aux: non-gradient state of the stage (BatchNorm statistics).
    """

    step: jax.Array
    skipped: jax.Array
    params: dict[str, Tree]
    opt_state: dict[str, Tree]
    ema: dict[str, Tree]
    aux: Tree


def create_state(
    params: dict[str, Tree],
    aux: Tree,
    optimizers: Mapping[str, optax.GradientTransformation],
    averaged: frozenset[str] | set[str],
) -> TrainState:
    """Create the state before the first update; ``averaged`` names the groups that keep an EMA."""
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        skipped=jnp.zeros((), jnp.int32),
        params=params,
        opt_state={group: optimizers[group].init(params[group]) for group in optimizers},
        # A copy: the state is donated, and no buffer may be donated twice.
        ema={group: jax.tree.map(jnp.copy, params[group]) for group in params if group in averaged},
        aux=aux,
    )


def eval_params(state: TrainState) -> dict[str, Tree]:
    """Return the parameters to judge and release: the average where one is kept."""
    return {group: state.ema.get(group, params) for group, params in state.params.items()}
