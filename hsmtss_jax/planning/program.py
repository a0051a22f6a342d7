"""A stage's training step for devices that are not here: traced, compiled, and measured on paper.

Nothing is computed and no weights are made: upstream bundles are shapes.
"""

import dataclasses
import math
import time
from typing import Any

import jax
import jax.numpy as jnp

from hsmtss_jax import dist
from hsmtss_jax.config import ExperimentConfig
from hsmtss_jax.nn.platform import tracing_for
from hsmtss_jax.planning.flop import Work, work_of
from hsmtss_jax.planning.target import Target
from hsmtss_jax.testing.bundles import build_stage
from hsmtss_jax.train.plan import Plan, jit_step, prepare_abstract


@dataclasses.dataclass(frozen=True)
class Memory:
    """Hold what a device holds [bytes]: during a step, and as arguments before it.

    temporary: activations, gradients, everything else that the compiler allots; 0 where none was asked.
    """

    state: float
    frozen: float
    batch: float
    temporary: float = 0.0

    @property
    def total(self) -> float:
        return self.state + self.frozen + self.batch + self.temporary


@dataclasses.dataclass(frozen=True)
class StepFigures:
    """Hold the figures of one training step.

    parameters: trained; frozen: those of upstream bundles that the step reads. work: over all devices.
    checkpoint: bytes of a saved state. compile_seconds: 0 where nothing was compiled.
    """

    batch: int
    devices: int
    parameters: int
    frozen: int
    work: Work
    memory: Memory
    checkpoint: float
    compile_seconds: float = 0.0


def nearest_batch(batch: int, devices: int, accumulate: int = 1) -> int:
    """Return the multiple of devices x accumulate that is nearest to a batch size, at least one."""
    whole = devices * accumulate
    return max(round(batch / whole), 1) * whole


def figures(
    config: ExperimentConfig, size: str, target: Target, *, compiles: bool = True
) -> StepFigures:
    """Return the figures of a training step on a mesh of the target's devices.

    compiles: whether to ask the compiler for the temporary memory, which takes a minute or two.

    Raises:
      ValueError: a mesh that does not fit the devices, or a batch that does not split over them.
    """
    mesh = dist.make_mesh(config.mesh, target.devices)
    dist.check_batch(mesh, config.data.batch_size, config.run.accumulate)
    dtype = jnp.float32 if config.run.dtype == "float32" else jnp.bfloat16
    stage = build_stage(config, size, abstract=True, dtype=dtype)
    plan = prepare_abstract(config, stage, mesh)
    batch = jax.tree.map(
        lambda spec: jax.ShapeDtypeStruct(
            spec.shape, spec.dtype, sharding=dist.batch_sharding(mesh)
        ),
        stage.batch_spec(),
    )
    step: Any = jit_step(plan)  # a jitted function
    with tracing_for(target.platform):
        traced = step.trace(plan.abstract, batch, plan.step_frozen, plan.key)
    temporary, seconds = _compiled(traced) if compiles else (0.0, 0.0)
    memory = Memory(
        state=_held(plan.abstract),
        frozen=_held(plan.step_frozen),
        batch=_held(batch),
        temporary=temporary,
    )
    return StepFigures(
        batch=config.data.batch_size,
        devices=mesh.size,
        parameters=_elements(plan.shapes.params),
        frozen=_elements(plan.step_frozen),
        work=work_of(traced.jaxpr),
        memory=memory,
        checkpoint=_bytes(plan),
        compile_seconds=seconds,
    )


def _compiled(traced: Any) -> tuple[float, float]:
    """Return the temporary memory of a device [bytes], outputs that are no argument's included, and [s]."""
    begun = time.perf_counter()
    told = traced.lower().compile().memory_analysis()
    fresh = told.output_size_in_bytes - told.alias_size_in_bytes
    return float(told.temp_size_in_bytes + max(fresh, 0)), time.perf_counter() - begun


def _held(tree: Any) -> float:
    """Return the bytes of a device's part of a tree of shapes with shardings."""
    return float(
        sum(
            math.prod(leaf.sharding.shard_shape(leaf.shape)) * _itemsize(leaf)
            for leaf in jax.tree.leaves(tree)
        )
    )


def _bytes(plan: Plan) -> float:
    return float(sum(leaf.size * _itemsize(leaf) for leaf in jax.tree.leaves(plan.shapes)))


def _itemsize(leaf: Any) -> int:
    return int(jnp.dtype(leaf.dtype).itemsize)


def _elements(tree: Any) -> int:
    return int(sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(tree)))
