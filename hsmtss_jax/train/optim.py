"""OptimConfig -> optax. Which parameters decay or stay frozen is said by regexes over their paths."""

import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from hsmtss_jax.config import OptimConfig

Tree = Any


def make_schedule(config: OptimConfig, steps: int) -> Callable[[jax.Array], jax.Array]:
    """Learning rate by update count: linear warm-up, then a cosine to ``end_lr`` or a constant.

    A run shorter than the warm-up simply ends inside it.

    Raises:
      ValueError: unknown schedule.
    """
    if config.schedule not in ("cosine", "constant"):
        raise ValueError(f"optim schedule {config.schedule!r}: choose cosine or constant")
    warmup = max(config.warmup_steps, 0)
    span = max(steps - warmup, 1)

    def schedule(count: jax.Array) -> jax.Array:
        count = jnp.asarray(count, jnp.float32)
        rising = config.lr * jnp.minimum((count + 1) / max(warmup, 1), 1.0)
        if config.schedule == "constant":
            return rising
        progress = jnp.clip((count - warmup) / span, 0.0, 1.0)
        cosine = 0.5 * (1 + jnp.cos(jnp.pi * progress))
        return jnp.where(
            count < warmup, rising, config.end_lr + (config.lr - config.end_lr) * cosine
        )

    return schedule


def make_optimizer(config: OptimConfig, params: Tree, steps: int) -> optax.GradientTransformation:
    """Clip, coupled L2, Adam, decoupled decay, learning rate; frozen parameters keep no state.

    params: the group's (abstract) parameters, for the regexes. The chain has the same shape whatever
    is switched off, so these settings may change when a run is resumed (``freeze`` may not).

    Raises:
      ValueError: a regex that does not compile, or that selects nothing or everything.
    """
    trainable = trainable_mask(config, params)
    chain = optax.chain(
        _clip(config),
        optax.add_decayed_weights(config.l2),
        optax.scale_by_adam(config.b1, config.b2),
        optax.add_decayed_weights(config.weight_decay, mask=_decay_mask(config, params)),
        optax.scale_by_learning_rate(make_schedule(config, steps)),
    )
    if not config.freeze:
        return chain
    labels = jax.tree.map(lambda train: "train" if train else "freeze", trainable)
    return optax.partition({"train": chain, "freeze": optax.set_to_zero()}, labels)


def trainable_mask(config: OptimConfig, params: Tree) -> Tree:
    """A tree of bools: False where ``freeze`` matches the path."""
    if not config.freeze:
        return jax.tree.map(lambda _: True, params)
    frozen = _matches(config.freeze, params, "freeze")
    if all(jax.tree.leaves(frozen)):
        raise ValueError(f"freeze={config.freeze!r} leaves nothing to train")
    return jax.tree.map(lambda hit: not hit, frozen)


def paths(params: Tree) -> list[str]:
    """The "a/b/c" names of the leaves, in tree order."""
    leaves = jax.tree_util.tree_flatten_with_path(params)[0]
    return [jax.tree_util.keystr(path, simple=True, separator="/") for path, _ in leaves]


def _decay_mask(config: OptimConfig, params: Tree) -> Tree:
    """True where weight decay applies."""
    if not config.weight_decay or not config.decay_exclude:
        return jax.tree.map(lambda _: True, params)
    excluded = _matches(config.decay_exclude, params, "decay_exclude")
    if all(jax.tree.leaves(excluded)):
        raise ValueError(
            f"decay_exclude={config.decay_exclude!r} matches every parameter: set weight_decay=0 instead"
        )
    return jax.tree.map(lambda hit: not hit, excluded)


def _matches(pattern: str, params: Tree, field: str) -> Tree:
    """A tree of bools: whether the regex is found in the leaf's path. It must be found somewhere."""
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
    """Scales each tensor whose L2 norm is above ``limit`` down to it."""

    def clip(grad: jax.Array) -> jax.Array:
        norm = jnp.sqrt(jnp.sum(jnp.square(grad)))
        return grad * jnp.minimum(1.0, limit / jnp.maximum(norm, 1e-12))

    return jax.tree.map(clip, grads)
