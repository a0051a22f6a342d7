"""One training step for any stage: each group's loss, gradient, update and average, in order.

Legend: B batch, M micro-batches.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax

from hsmtss_jax.config import OptimConfig
from hsmtss_jax.train.optim import Rates, make_schedule
from hsmtss_jax.train.stage import Batch, Objective, StepInput, StepReport
from hsmtss_jax.train.state import TrainState

Tree = Any
Metrics = dict[str, jax.Array]
Step = Callable[..., tuple[TrainState, Metrics]]


def make_step(
    objectives: Mapping[str, Objective],
    optimizers: Mapping[str, optax.GradientTransformation],
    configs: Mapping[str, OptimConfig],
    steps: int,
    accumulate: int = 1,
    trainable: Mapping[str, Tree] | None = None,
    rates: Mapping[str, Rates] | None = None,
) -> Step:
    """Build ``step(state, batch, frozen, key, limits) -> (state, metrics)``, to be jitted, the state donated.

    batch arrays are [B, ...]. key is the run's root key: the step's is derived from the counter. limits: the
    largest loss by group whose update is taken; None takes any that is finite. A group whose loss is above
    it, or whose gradients are not finite, is left as it was, and counted in ``state.skipped``.

    Args:
      objectives: by group, in the order of the updates.
      optimizers: by group.
      configs: of the optimisers, by group.
      steps: of the run, for the learning rate.
      accumulate: M > 1: each group's gradient is the mean over M interleaved parts of the batch.
      trainable: trees of bools by group; gradients elsewhere are dropped before they are computed.
      rates: by group, as the optimisers were made with.
    """
    rated = rates or {}
    schedules = {
        group: make_schedule(configs[group], steps, rated.get(group)) for group in objectives
    }

    def step(
        state: TrainState,
        batch: Batch,
        frozen: Mapping[str, Tree],
        key: jax.Array,
        limits: Mapping[str, jax.Array] | None = None,
    ) -> tuple[TrainState, Metrics]:
        step_key = jax.random.fold_in(key, state.step)
        parts = _split(batch, accumulate)
        metrics: Metrics = {}
        carry = None
        for index, (group, objective) in enumerate(objectives.items()):
            inputs = StepInput(
                params=state.params,
                aux=state.aux,
                frozen=frozen,
                batch=parts,
                key=jax.random.fold_in(step_key, index),
                step=state.step,
                carry=carry,
            )
            loss, report, grads = _gradient(objective, group, inputs, accumulate)
            if trainable is not None:
                grads = jax.tree.map(_zero_unless, trainable[group], grads)
            carry = report.carry
            within = True if limits is None else loss <= limits[group]
            before = state.skipped
            state, norms = _update(
                state, group, optimizers[group], configs[group], loss, report, grads, within
            )
            metrics |= {f"{group}/{name}": value for name, value in report.metrics.items()}
            metrics[f"{group}/loss"] = loss
            metrics |= {f"{group}/{name}": value for name, value in norms.items()}
            metrics[f"{group}/skipped"] = (state.skipped - before).astype(jnp.float32)
            metrics[f"{group}/lr"] = schedules[group](state.step)
        metrics["skipped"] = state.skipped
        return dataclasses.replace(state, step=state.step + 1), metrics

    return step


def _zero_unless(train: bool, grad: jax.Array) -> jax.Array:
    return grad if train else jnp.zeros_like(grad)


def _split(batch: Batch, parts: int) -> Batch:
    """Split [B, ...] to [M, B/M, ...], interleaved so that no example leaves its device."""
    if parts == 1:
        return batch
    return {
        name: jnp.swapaxes(value.reshape(-1, parts, *value.shape[1:]), 0, 1)
        for name, value in batch.items()
    }


def _gradient(
    objective: Objective, group: str, inputs: StepInput, accumulate: int
) -> tuple[jax.Array, StepReport, Tree]:
    """Compute loss, report and gradient with respect to ``inputs.params[group]``."""

    def one(part: StepInput) -> tuple[jax.Array, StepReport, Tree]:
        def loss_of(params: Tree) -> tuple[jax.Array, StepReport]:
            return objective(dataclasses.replace(part, params={**part.params, group: params}))

        (loss, report), grads = jax.value_and_grad(loss_of, has_aux=True)(part.params[group])
        return loss, report, grads

    if accumulate == 1:
        return one(inputs)
    return _accumulated(one, inputs, accumulate)


def _accumulated(
    one: Callable[[StepInput], tuple[jax.Array, StepReport, Tree]], inputs: StepInput, parts: int
) -> tuple[jax.Array, StepReport, Tree]:
    """Run ``one`` over the M parts of the batch in turn: aux is threaded, the carry stacked [M, ...]."""

    def body(state: tuple[Tree, Tree], scanned: tuple[Any, ...]) -> tuple[Any, Any]:
        total, aux = state
        index, batch, carry = scanned
        key = jax.random.fold_in(inputs.key, index)
        loss, report, grads = one(
            dataclasses.replace(inputs, batch=batch, carry=carry, key=key, aux=aux)
        )
        total = jax.tree.map(jnp.add, total, grads)
        return (total, report.aux), (loss, report.metrics, report.carry)

    def first() -> Tree:
        part = jax.tree.map(lambda value: value[0], (inputs.batch, inputs.carry))
        return one(dataclasses.replace(inputs, batch=part[0], carry=part[1]))[2]

    zeros = jax.tree.map(lambda grad: jnp.zeros(grad.shape, grad.dtype), jax.eval_shape(first))
    (total, aux), (losses, metrics, carry) = jax.lax.scan(
        body, (zeros, inputs.aux), (jnp.arange(parts), inputs.batch, inputs.carry)
    )
    mean = jax.tree.map(lambda value: jnp.mean(value, axis=0), metrics)
    grads = jax.tree.map(lambda grad: grad / parts, total)
    return jnp.mean(losses), StepReport(metrics=mean, aux=aux, carry=carry), grads


def _update(
    state: TrainState,
    group: str,
    optimizer: optax.GradientTransformation,
    config: OptimConfig,
    loss: jax.Array,
    report: StepReport,
    grads: Tree,
    within: jax.Array | bool,
) -> tuple[TrainState, Metrics]:
    """Update this group; leave the state as it was when loss or gradient is not finite, or not ``within``."""
    norm = _norm(grads)
    finite = jnp.isfinite(norm) & jnp.isfinite(loss) & within
    params = state.params[group]
    updates, opt_state = optimizer.update(grads, state.opt_state[group], params)
    new_params = optax.apply_updates(params, updates)

    def keep(new: Tree, old: Tree) -> Tree:
        return jax.tree.map(lambda a, b: jnp.where(finite, a, b), new, old)

    new_params = keep(new_params, params)
    ema = state.ema
    if group in ema:
        # The cap lets an average that starts at the random weights forget them early.
        decay = jnp.minimum(config.ema, (1.0 + state.step) / (10.0 + state.step))
        blended = jax.tree.map(lambda a, b: decay * a + (1 - decay) * b, ema[group], new_params)
        ema = {**ema, group: keep(blended, ema[group])}
    state = dataclasses.replace(
        state,
        params={**state.params, group: new_params},
        opt_state={**state.opt_state, group: keep(opt_state, state.opt_state[group])},
        ema=ema,
        aux=keep(report.aux, state.aux),
        skipped=state.skipped + (~finite).astype(jnp.int32),
    )
    norms = {
        "grad_norm": norm,
        "update_norm": _norm(updates),
        "param_norm": _norm(new_params),
    }
    return state, norms


def _norm(tree: Tree) -> jax.Array:
    return jnp.sqrt(sum(jnp.sum(jnp.square(leaf)) for leaf in jax.tree.leaves(tree)))
