"""From OptimConfig to optax. Which parameters decay or stay frozen is said by regexes over their paths."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.typing import ArrayLike

from hsmtss_jax.config import OptimConfig

Tree = Any


Schedule = Callable[[jax.Array], jax.Array]


class Rates(NamedTuple):
    """Hold the numbers of a schedule. As arguments of a compiled step they may change without compiling it.

    lr, end_lr: float32. warmup_steps, steps: int32.
    """

    lr: ArrayLike
    end_lr: ArrayLike
    warmup_steps: ArrayLike
    steps: ArrayLike


def rates_of(config: OptimConfig, steps: int) -> Rates:
    """Return the numbers of a config's schedule for a run of so many steps."""
    return Rates(
        lr=np.float32(config.lr),
        end_lr=np.float32(config.end_lr),
        warmup_steps=np.int32(max(config.warmup_steps, 0)),
        steps=np.int32(steps),
    )


def make_schedule(config: OptimConfig, steps: int, rates: Rates | None = None) -> Schedule:
    """Return the learning rate by update count.

    A run shorter than the warm-up simply ends inside it. rates: in place of the config's numbers.

    Raises:
      ValueError: unknown schedule.
    """
    makers = {"cosine": _cosine, "constant": _constant, "staircase": _staircase}
    if config.schedule not in makers:
        choices = " or ".join(makers)
        raise ValueError(f"optim schedule {config.schedule!r}: choose {choices}")
    return makers[config.schedule](config, rates or rates_of(config, steps))


def _constant(config: OptimConfig, rates: Rates) -> Schedule:
    """Build a schedule that rises linearly, then stays."""
    del config

    def schedule(count: jax.Array) -> jax.Array:
        count = jnp.asarray(count, jnp.float32)
        lr = jnp.asarray(rates.lr, jnp.float32)
        return lr * jnp.minimum((count + 1) / jnp.maximum(rates.warmup_steps, 1), 1.0)

    return schedule


def _cosine(config: OptimConfig, rates: Rates) -> Schedule:
    """Build a schedule that rises linearly, then falls to ``end_lr`` by half a cosine."""
    rising = _constant(config, rates)

    def schedule(count: jax.Array) -> jax.Array:
        count = jnp.asarray(count, jnp.float32)
        span = jnp.maximum(jnp.subtract(rates.steps, rates.warmup_steps), 1)
        progress = jnp.clip((count - rates.warmup_steps) / span, 0.0, 1.0)
        cosine = 0.5 * (1 + jnp.cos(jnp.pi * progress))
        falling = rates.end_lr + jnp.subtract(rates.lr, rates.end_lr) * cosine
        return jnp.where(count < rates.warmup_steps, rising(count), falling)

    return schedule


def _staircase(config: OptimConfig, rates: Rates) -> Schedule:
    """Stay ``warmup_steps`` updates on each of ``stairs``, then on ``lr``."""

    def schedule(count: jax.Array) -> jax.Array:
        rate = jnp.asarray(rates.lr, jnp.float32)
        for stair in reversed(range(len(config.stairs))):
            below = count < jnp.multiply(rates.warmup_steps, stair + 1)
            rate = jnp.where(below, config.stairs[stair], rate)
        return rate

    return schedule


def make_optimizer(
    config: OptimConfig, params: Tree, steps: int, rates: Rates | None = None
) -> optax.GradientTransformation:
    """Chain clip, coupled L2, Adam, decoupled decay, learning rate; frozen parameters keep no state.

    params: the group's (abstract) parameters, for the regexes. rates: as ``make_schedule`` takes them. The
    chain has the same shape whatever is switched off, so these settings may change when a run is resumed
    (``freeze`` and ``amsgrad`` may not).

    Raises:
      ValueError: a regex that does not compile, or that selects nothing or everything.
    """
    trainable = trainable_mask(config, params)
    adam = optax.scale_by_amsgrad if config.amsgrad else optax.scale_by_adam
    chain = optax.chain(
        _clip(config),
        optax.add_decayed_weights(config.l2),
        adam(config.b1, config.b2),
        optax.add_decayed_weights(config.weight_decay, mask=_decay_mask(config, params)),
        optax.scale_by_learning_rate(make_schedule(config, steps, rates)),
    )
    if not config.freeze:
        return chain
    labels = jax.tree.map(lambda train: "train" if train else "freeze", trainable)
    return optax.partition({"train": chain, "freeze": optax.set_to_zero()}, labels)


def trainable_mask(config: OptimConfig, params: Tree) -> Tree:
    """Return a tree of bools: False where ``freeze`` matches the path."""
    if not config.freeze:
        return jax.tree.map(lambda _: True, params)
    frozen = _matches(config.freeze, params, "freeze")
    if all(jax.tree.leaves(frozen)):
        raise ValueError(f"freeze={config.freeze!r} leaves nothing to train")
    return jax.tree.map(lambda hit: not hit, frozen)


def paths(params: Tree) -> list[str]:
    """Return the "a/b/c" names of the leaves, in tree order."""
    leaves = jax.tree_util.tree_flatten_with_path(params)[0]
    return [jax.tree_util.keystr(path, simple=True, separator="/") for path, _ in leaves]


def _decay_mask(config: OptimConfig, params: Tree) -> Tree:
    """Return a tree that is True where weight decay applies."""
    if not config.weight_decay or not config.decay_exclude:
        return jax.tree.map(lambda _: True, params)
    excluded = _matches(config.decay_exclude, params, "decay_exclude")
    if all(jax.tree.leaves(excluded)):
        raise ValueError(
            f"decay_exclude={config.decay_exclude!r} matches every parameter: set weight_decay=0 instead"
        )
    return jax.tree.map(lambda hit: not hit, excluded)


def _matches(pattern: str, params: Tree, field: str) -> Tree:
    """Return a tree of bools: whether the regex is found in the leaf's path; somewhere it must be."""
    try:
        regex = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{field}={pattern!r} is not a regular expression: {error}") from error
    names = paths(params)
    hits = [regex.search(name) is not None for name in names]
    if not any(hits):
        raise ValueError(f"{field}={pattern!r} matches no parameter; the first is {names[0]!r}")
    return jax.tree.unflatten(jax.tree.structure(params), hits)


def _clip(config: OptimConfig) -> optax.GradientTransformation:
    if not config.clip:
        return optax.identity()
    if config.clip_per_tensor:
        return optax.stateless(lambda grads, _: _clip_each(grads, config.clip))
    return optax.clip_by_global_norm(config.clip)


def _clip_each(grads: Tree, limit: float) -> Tree:
    """Scale each tensor whose L2 norm is above ``limit`` down to it."""

    def clip(grad: jax.Array) -> jax.Array:
        norm = jnp.sqrt(jnp.sum(jnp.square(grad)))
        return grad * jnp.minimum(1.0, limit / jnp.maximum(norm, 1e-12))

    return jax.tree.map(clip, grads)
