"""The stage contract: what a trainable stage of the system must say. The loop never asks which stage it runs.

Legend: B batch.
"""

import abc
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import flax.struct
import grain
import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.config import DataConfig, StageConfig
from hsmtss_jax.dist import compute_dtype

Tree = Any  # a pytree of arrays
Batch = Mapping[str, jax.Array]


@flax.struct.dataclass
class StepInput:
    """What an objective may read.

    params: parameters by group; the group being updated is the one differentiated.
    aux: non-gradient state (BatchNorm statistics, counters).
    frozen: parameters of the upstream bundles by bundle name.
    batch: arrays, global over the mesh.
    key: PRNG key of this step and group.
    step: int32 scalar, the number of updates done.
    carry: what the previous group's objective handed on in this step (None for the first group).
    """

    params: Mapping[str, Tree]
    aux: Tree
    frozen: Mapping[str, Tree]
    batch: Batch
    key: jax.Array
    step: jax.Array
    carry: Any = None


@flax.struct.dataclass
class Report:
    """What an objective reports beside its loss: scalar metrics, the new aux, the carry to the next group."""

    metrics: dict[str, jax.Array]
    aux: Tree
    carry: Any = None


Objective = Callable[[StepInput], tuple[jax.Array, Report]]


@dataclasses.dataclass(frozen=True)
class Shard:
    """This process's part of a data set: examples ``index::count``."""

    index: int = 0
    count: int = 1


@dataclasses.dataclass(frozen=True)
class Panel:
    """Something to look at or listen to: an image [H, W] or audio [samples] at sample_rate."""

    kind: str  # "image" | "audio"
    value: np.ndarray
    sample_rate: int = 16000


class Stage(abc.ABC):
    """One trainable stage. Subclasses hold configs and build linen modules; they own no arrays.

    config: the stage's own config. data: the data config. upstream: loaded frozen bundles by name.
    init_only_names: the upstream bundles that only ``init`` reads (a fine-tune's starting point):
    they are in the ``frozen`` of ``init`` and must be left out of every later ``frozen``.
    """

    upstream_names: ClassVar[tuple[str, ...]] = ()
    init_only_names: ClassVar[tuple[str, ...]] = ()
    dtype: Any = jnp.float32  # what networks compute in; set before anything is traced

    def __init__(
        self, config: StageConfig, data: DataConfig, upstream: Mapping[str, Bundle] | None = None
    ) -> None:
        upstream = dict(upstream or {})
        missing = [name for name in self.upstream_names if name not in upstream]
        if missing:
            raise ValueError(f"stage {config.name!r} needs upstream bundles: {', '.join(missing)}")
        self.config = config
        self.data = data
        self.upstream = upstream

    @abc.abstractmethod
    def batch_spec(self) -> dict[str, jax.ShapeDtypeStruct]:
        """Name -> shape and dtype of a host batch of ``data.batch_size`` examples."""

    @abc.abstractmethod
    def dataset(self, split: str, shard: Shard, seed: int) -> grain.IterDataset:
        """Batches of ``split`` ("train" endless and shuffled, else one pass in order).

        A batch holds ``data.batch_size // shard.count`` examples, as numpy arrays.
        """

    @abc.abstractmethod
    def init(
        self, key: jax.Array, batch: Batch, frozen: Mapping[str, Tree]
    ) -> tuple[dict[str, Tree], Tree]:
        """Fresh (params by group, aux). Traced under ``eval_shape`` and ``jit``."""

    @abc.abstractmethod
    def objectives(self) -> dict[str, Objective]:
        """Group -> objective. The order is the update order."""

    @abc.abstractmethod
    def eval_metrics(
        self,
        params: Mapping[str, Tree],
        aux: Tree,
        frozen: Mapping[str, Tree],
        batch: Batch,
        key: jax.Array,
    ) -> dict[str, jax.Array]:
        """Per-example values, each [B]. Traced under ``jit``."""

    def panels(
        self,
        params: Mapping[str, Tree],
        aux: Tree,
        frozen: Mapping[str, Tree],
        batch: Batch,
        key: jax.Array,
    ) -> dict[str, Panel]:
        """A few things to look at and listen to, for the writer. Default: none."""
        return {}

    @abc.abstractmethod
    def release(self, params: Mapping[str, Tree], aux: Tree) -> Tree:
        """The nested dict of arrays that goes into the release bundle."""


def build_stage(
    stage_class: type[Stage],
    config: StageConfig,
    data: DataConfig,
    upstream: Mapping[str, Bundle] | None = None,
    dtype: str = "auto",
) -> Stage:
    """A stage whose compute dtype is known before its modules are built.

    dtype: float32 | bfloat16 | auto (bfloat16 on an accelerator, float32 on CPU, where bfloat16
    matrix products are emulated and many times slower).

    Raises:
      ValueError: unknown dtype, or an upstream bundle is missing.
    """
    stage = stage_class.__new__(stage_class)
    stage.dtype = compute_dtype(dtype)
    stage.__init__(config, data, upstream)  # type: ignore[misc]
    return stage
