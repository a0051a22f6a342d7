"""Training of one probe: Adam on cross-entropy, stopped early by the accuracy on the validation part.

Legend: n clips, C width of their vectors, K classes, B batch.
"""

import dataclasses
import functools
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
import optax

from hsmtss_jax.models.probe import Probe, ProbeConfig
from hsmtss_jax.nn.apply import apply


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProbeTraining:
    """Configure HEAR's recipe as MW-MAE's copy of the kit sets it; every rate with every dropout is tried."""

    hidden: int = 1024
    learning_rates: tuple[float, ...] = (1e-4,)
    dropouts: tuple[float, ...] = (0.1, 0.25)
    batch: int = 1024  # at most
    epochs: int = 500
    check_every: int = 3  # epochs
    patience: int = 20  # checks without a better accuracy
    seeds: int = 10
    standardise: bool = False  # vectors by mean and deviation of the training part; HEAR does not

    @property
    def grid(self) -> tuple["Point", ...]:
        """Return what selection chooses from."""
        return tuple(Point(rate, drop) for rate in self.learning_rates for drop in self.dropouts)


@dataclasses.dataclass(frozen=True)
class Point:
    """Name one choice of the grid."""

    learning_rate: float
    dropout: float


@dataclasses.dataclass(frozen=True)
class Fitted:
    """Hold the probe at its best check. accuracy: on the validation part, there."""

    probe: Probe
    variables: Any
    accuracy: float
    epoch: int

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Predict class numbers, int [n], of vectors [n, C]."""
        return np.asarray(_predict(self.probe, self.variables, jnp.asarray(x)))


@flax.struct.dataclass
class _State:
    params: Any
    batch_stats: Any
    optimiser: Any

    @property
    def variables(self) -> dict[str, Any]:
        return {"params": self.params, "batch_stats": self.batch_stats}


def fit(
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    classes: int,
    point: Point,
    config: ProbeTraining,
    seed: int,
) -> Fitted:
    """Train a probe; equal calls give equal probes.

    Raises ValueError when the training part has fewer than two clips or the validation part none.

    Args:
      train: vectors [n, C] and labels int [n].
      validation: the same of the clips that choose the best check.
      classes: number of classes.
      point: the choice of the grid.
      config: the recipe.
      seed: of the probe's weights and the order of clips.
    """
    if len(train[1]) < 2 or len(validation[1]) == 0:
        raise ValueError("a probe needs two training clips and a validation clip")
    probe = ProbeConfig(classes=classes, hidden=config.hidden, dropout=point.dropout).make()
    x, y = jnp.asarray(train[0]), jnp.asarray(train[1])
    key = jax.random.key(seed)
    state = _initial(probe, key, x[:2], point.learning_rate)
    best = Fitted(probe, state.variables, -1.0, 0)
    batch, waited = even_batch(len(y), config.batch), 0
    for check in range(1, -(-config.epochs // config.check_every) + 1):
        keys = jax.random.split(jax.random.fold_in(key, check), config.check_every)
        state = _epochs(probe, batch, state, x, y, keys, point.learning_rate)
        now = Fitted(probe, state.variables, 0.0, check * config.check_every)
        accuracy = float(np.mean(now.predict(validation[0]) == validation[1]))
        waited += 1
        if accuracy > best.accuracy:
            best, waited = dataclasses.replace(now, accuracy=accuracy), 0
        if waited >= config.patience:
            break
    return best


def even_batch(clips: int, largest: int) -> int:
    """Return the size of the fewest equal batches that are at most ``largest``: 1200, 1024 -> 600.

    HEAR's kit makes as many steps an epoch, the last of them with what is left over.
    """
    return clips // -(-clips // largest)


@functools.partial(jax.jit, static_argnames="probe")
def _initial(probe: Probe, key: jax.Array, x: jax.Array, rate: jax.Array) -> _State:
    variables = probe.init(key, x)
    return _State(
        params=variables["params"],
        batch_stats=variables["batch_stats"],
        optimiser=optax.adam(rate).init(variables["params"]),
    )


@functools.partial(jax.jit, static_argnames="probe")
def _predict(probe: Probe, variables: Any, x: jax.Array) -> jax.Array:
    logits = apply(probe, variables, x, out=jax.Array)
    return jnp.argmax(logits, axis=-1)


@functools.partial(jax.jit, static_argnames=("probe", "batch"))
def _epochs(
    probe: Probe,
    batch: int,
    state: _State,
    x: jax.Array,
    y: jax.Array,
    keys: jax.Array,
    rate: jax.Array,
) -> _State:
    """Train an epoch a key: x [n, C] in shuffled batches, but for the few clips that fill no batch."""

    def step(state: _State, item: tuple[jax.Array, jax.Array]) -> tuple[_State, None]:
        return _step(probe, state, x[item[0]], y[item[0]], item[1], rate), None

    def epoch(state: _State, key: jax.Array) -> tuple[_State, None]:
        order_key, drop_key = jax.random.split(key)
        steps = len(x) // batch
        order = jax.random.permutation(order_key, len(x))[: steps * batch]
        items = (order.reshape(steps, batch), jax.random.split(drop_key, steps))
        return jax.lax.scan(step, state, items)

    return jax.lax.scan(epoch, state, keys)[0]


def _step(
    probe: Probe, state: _State, x: jax.Array, y: jax.Array, key: jax.Array, rate: jax.Array
) -> _State:
    def loss(params: Any) -> tuple[jax.Array, Any]:
        variables = {"params": params, "batch_stats": state.batch_stats}
        logits, changed = probe.apply(
            variables, x, train=True, mutable=["batch_stats"], rngs={"dropout": key}
        )
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, y)
        return jnp.mean(losses), changed["batch_stats"]

    gradients, batch_stats = jax.grad(loss, has_aux=True)(state.params)
    updates, optimiser = optax.adam(rate).update(gradients, state.optimiser)
    params = optax.apply_updates(state.params, updates)
    return _State(params=params, batch_stats=batch_stats, optimiser=optimiser)
