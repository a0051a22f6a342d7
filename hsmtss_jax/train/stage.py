"""The stage contract: what a trainable stage of the system must say. The loop never asks which stage it runs.

Legend: B batch.
"""

import abc
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, Self

import flax.struct
import grain
import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.bundles.bundle import Bundle, load_bundles
from hsmtss_jax.config import DataConfig, ExperimentConfig, Shard, StageConfig
from hsmtss_jax.dist import compute_dtype

_KINDS = {  # of bundles: none of them can stand for another one
    *("text_encoder", "audio_mae", "q_audio", "tf_codec", "acoustic_decoder"),
    *("global_separator", "local_separator", "joint_separator"),
}

Tree = Any  # a pytree of arrays
Batch = Mapping[str, jax.Array]


@flax.struct.dataclass
class StepInput:
    """Hold what an objective, an evaluation or a panel may read.

    params: parameters by group; in an objective the group being updated is the one differentiated.
    aux: non-gradient state (BatchNorm statistics, counters).
    frozen: parameters of the upstream bundles by bundle name.
    batch: arrays, global over the mesh.
    key: PRNG key of this step and group, or of this batch of an evaluation.
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

    def first(self) -> "StepInput":
        """Return the same with the first example of the batch alone."""
        batch = {name: value[:1] for name, value in self.batch.items()}
        return dataclasses.replace(self, batch=batch)


@flax.struct.dataclass
class StepReport:
    """Hold what an objective gives beside its loss: metrics, the new aux, the carry to the next group."""

    metrics: dict[str, jax.Array]
    aux: Tree
    carry: Any = None


Objective = Callable[[StepInput], tuple[jax.Array, StepReport]]


@dataclasses.dataclass(frozen=True)
class Panel:
    """Hold an image [H, W] to look at, or audio [samples] at ``sample_rate`` [Hz] to listen to."""

    kind: Literal["image", "audio"]
    value: np.ndarray
    sample_rate: int = 16000


class Stage(abc.ABC):
    """Define one trainable stage. Subclasses hold configs and build linen modules; they own no arrays.

    config: the stage's own config, complete: sizes that were None are those of the upstream bundles.
    data: the data config. upstream: loaded frozen bundles by name. dtype: what networks compute in.

    config_class: the class of ``config``. upstream_names: the bundles that must be given.
    init_only_names: the upstream bundles that only ``init`` reads (a fine-tune's starting point):
    they are in the ``frozen`` of ``init`` and must be left out of every later ``frozen``.
    best_metric: the one of ``eval_metrics`` that tells the best checkpoint, smaller is better.
    """

    config_class: ClassVar[type[StageConfig]] = StageConfig
    upstream_names: ClassVar[tuple[str, ...]] = ()
    init_only_names: ClassVar[tuple[str, ...]] = ()
    best_metric: ClassVar[str] = "loss"
    config: StageConfig

    def __init__(
        self,
        config: StageConfig,
        data: DataConfig,
        upstream: Mapping[str, Bundle] | None = None,
        dtype: Any = jnp.float32,
    ) -> None:
        upstream = dict(upstream or {})
        missing = [name for name in self.upstream_names if name not in upstream]
        if missing:
            raise ValueError(f"stage {config.name!r} needs upstream bundles: {', '.join(missing)}")
        self.data = data
        self.upstream = upstream
        self.dtype = dtype
        self.config = self.complete(config)

    @classmethod
    def load(cls, config: ExperimentConfig) -> Self:
        """Build the stage of an experiment; its upstream bundles are loaded and checked.

        Raises:
          ValueError: an upstream bundle that is missing, damaged or does not belong, an unknown dtype.
          OSError: an upstream path that does not exist.
        """
        upstream = load_bundles(config.upstream)
        for name, bundle in upstream.items():
            if bundle.stage != name and {name, bundle.stage} <= _KINDS:
                raise ValueError(
                    f"upstream.{name}={config.upstream[name]} is a bundle of {bundle.stage}: "
                    f"give one of {name}"
                )
        return cls(config.stage, config.data, upstream, compute_dtype(config.run.dtype))

    def complete(self, config: Any) -> StageConfig:
        """Return ``config`` with the sizes that the upstream bundles fix. Default: as it is.

        Raises ValueError where a size is given that contradicts them.
        """
        assert isinstance(config, StageConfig)
        return config

    @abc.abstractmethod
    def batch_spec(self) -> dict[str, jax.ShapeDtypeStruct]:
        """Return name -> shape and dtype of a host batch of ``data.batch_size`` examples."""

    @abc.abstractmethod
    def dataset(self, split: str, shard: Shard, seed: int) -> grain.IterDataset:
        """Return batches of ``split`` ("train" endless and shuffled, else one pass in order).

        A batch holds ``data.batch_size // shard.count`` examples, as numpy arrays.
        """

    @abc.abstractmethod
    def init(
        self, key: jax.Array, batch: Batch, frozen: Mapping[str, Tree]
    ) -> tuple[dict[str, Tree], Tree]:
        """Draw fresh (params by group, aux). Traced under ``eval_shape`` and ``jit``."""

    @abc.abstractmethod
    def objectives(self) -> dict[str, Objective]:
        """Return group -> objective. The order is the update order."""

    @abc.abstractmethod
    def eval_metrics(self, inputs: StepInput) -> dict[str, jax.Array]:
        """Compute per-example values, each [B]. Traced under ``jit``."""

    def panels(self, inputs: StepInput) -> dict[str, Panel]:
        """Make a few things to look at and listen to, for the writer. Default: none."""
        return {}

    @abc.abstractmethod
    def release(self, params: Mapping[str, Tree], aux: Tree) -> Tree:
        """Return the nested dict of arrays that goes into the release bundle."""
