"""Validation pass: masked means of a stage's per-example metrics.

Legend: B batch.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from hsmtss_jax import dist
from hsmtss_jax.train.stage import Stage, StepInput

HostBatch = Mapping[str, np.ndarray]
EvalStep = Callable[..., tuple[dict[str, jax.Array], jax.Array]]

_EVAL_KEY = 0x6576616C  # folded into the run's key; no training step reaches this number


def make_eval_step(stage: Stage, mesh: Mesh) -> EvalStep:
    """Return the jitted ``step(inputs, mask, index) -> (sums by metric, count)``.

    mask [B] is True for real examples; index is the batch's number and, with ``inputs.key`` (the run's),
    makes its key.
    """

    def step(
        inputs: StepInput, mask: jax.Array, index: jax.Array
    ) -> tuple[dict[str, jax.Array], jax.Array]:
        key = jax.random.fold_in(jax.random.fold_in(inputs.key, _EVAL_KEY), index)
        values = stage.eval_metrics(dataclasses.replace(inputs, key=key))
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
    inputs: StepInput,
    batches: Iterable[HostBatch],
    mesh: Mesh,
    local_size: int,
) -> dict[str, float]:
    """Average over all real examples of all processes; a short batch is filled up and masked.

    Processes may hold unequal numbers of batches: who runs out first goes on with masked ones.

    Args:
      step: of ``make_eval_step``.
      inputs: all but the batch; ``key`` is the run's.
      batches: of a validation split, on the host.
      mesh: where they are put.
      local_size: examples a full batch has on this process.

    Raises:
      ValueError: no batch at all.
    """
    totals: list[tuple[dict[str, jax.Array], jax.Array]] = []
    reading = iter(batches)
    for index, (batch, mask) in enumerate(_padded(reading, local_size)):
        on_mesh = dataclasses.replace(inputs, batch=dist.put_batch(mesh, batch))
        mask_on_mesh = dist.put_batch(mesh, {"mask": mask})["mask"]
        number = dist.replicate(mesh, np.uint32(index))
        totals.append(step(on_mesh, mask_on_mesh, number))
    if close := getattr(reading, "close", None):
        close()
    sums = [(host, float(count)) for host, count in jax.device_get(totals)]
    examples = sum(count for _, count in sums)
    if not examples:
        raise ValueError(
            "the validation split gave no batch: lower data.batch_size or raise eval_examples"
        )
    return {name: float(sum(host[name] for host, _ in sums)) / examples for name in sums[0][0]}


def _padded(
    iterator: Iterator[HostBatch], size: int
) -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
    """Yield (batch of ``size`` examples, mask [size]) until every process has run out."""
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
