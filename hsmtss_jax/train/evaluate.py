"""A validation pass: masked means of a stage's per-example metrics.

Legend: B batch.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from hsmtss_jax import dist
from hsmtss_jax.train.stage import Stage

Tree = Any
HostBatch = Mapping[str, np.ndarray]
EvalStep = Callable[..., tuple[dict[str, jax.Array], jax.Array]]

_EVAL_KEY = 0x6576616C  # folded into the run's key; no training step reaches this number


def make_eval_step(stage: Stage, mesh: Mesh) -> EvalStep:
    """Jitted ``step(params, aux, frozen, batch, mask, key, index) -> (sums by metric, count)``.

    mask [B] is True for real examples; index is the batch's number and, with key, makes its key.
    """

    def step(
        params: Tree,
        aux: Tree,
        frozen: Tree,
        batch: Tree,
        mask: jax.Array,
        key: jax.Array,
        index: jax.Array,
    ) -> tuple[dict[str, jax.Array], jax.Array]:
        key = jax.random.fold_in(jax.random.fold_in(key, _EVAL_KEY), index)
        values = stage.eval_metrics(params, aux, frozen, batch, key)
        for name, value in values.items():
            if value.shape != mask.shape:
                raise ValueError(
                    f"eval metric {name!r} has shape {value.shape}, not one value per example"
                )
        sums = {name: jnp.sum(jnp.where(mask, value, 0)) for name, value in values.items()}
        return sums, jnp.sum(mask)

    return jax.jit(step, out_shardings=dist.replicated(mesh))


def evaluate(
    step: EvalStep,
    params: Tree,
    aux: Tree,
    frozen: Tree,
    batches: Iterable[HostBatch],
    mesh: Mesh,
    key: jax.Array,
    local_size: int,
) -> dict[str, float]:
    """Means over all real examples of all processes; a short batch is filled up and masked.

    local_size: examples a full batch has on this process. Processes may hold unequal numbers of
    batches: who runs out first goes on with masked ones.

    Raises:
      ValueError: no batch at all.
    """
    totals: list[tuple[dict[str, jax.Array], jax.Array]] = []
    for index, (batch, mask) in enumerate(_padded(batches, local_size)):
        on_mesh = dist.put_batch(mesh, batch)
        mask_on_mesh = dist.put_batch(mesh, {"mask": mask})["mask"]
        number = dist.replicate(mesh, np.uint32(index))
        totals.append(step(params, aux, frozen, on_mesh, mask_on_mesh, key, number))
    sums = [(host, float(count)) for host, count in jax.device_get(totals)]
    examples = sum(count for _, count in sums)
    if not examples:
        raise ValueError(
            "the validation split gave no batch: lower data.batch_size or raise eval_examples"
        )
    return {name: float(sum(host[name] for host, _ in sums)) / examples for name in sums[0][0]}


def _padded(
    batches: Iterable[HostBatch], size: int
) -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
    """(batch of ``size`` examples, mask [size]) until every process has run out."""
    iterator = iter(batches)
    last: HostBatch | None = None
    while True:
        batch = next(iterator, None)
        if not dist.any_process(batch is not None):
            return
        real = 0 if batch is None else len(next(iter(batch.values())))
        last = last if batch is None else batch
        if last is None:
            raise ValueError("this process holds no validation example: use fewer processes")
        rows = np.arange(size) % len(next(iter(last.values())))
        yield {name: value[rows] for name, value in last.items()}, np.arange(size) < real
