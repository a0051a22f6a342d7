"""A tiny stage for the trainer's tests: two small networks regress a linear map.

Legend: B batch, D width.
"""

import dataclasses

import flax.linen as nn
import grain
import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax import dist
from hsmtss_jax.config import (
    DataConfig,
    ExperimentConfig,
    MeshConfig,
    OptimConfig,
    RunConfig,
    Shard,
    StageConfig,
)
from hsmtss_jax.data.batches import Batches
from hsmtss_jax.train.stage import Panel, Stage, StepReport

INPUTS = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class ToyModelConfig:
    width: int = 8
    dropout: float = 0.1
    sizes: tuple[int, ...] = (1, 2)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ToyStageConfig(StageConfig):
    name: str = "toy"
    model: ToyModelConfig = dataclasses.field(default_factory=ToyModelConfig)
    poison_at: int = -1  # the step at which the first group's loss is NaN


class Net(nn.Module):
    width: int
    dropout: float

    @nn.compact
    def __call__(self, x, *, train=False):
        x = nn.tanh(nn.Dense(self.width, name="hidden")(x))
        x = nn.Dropout(self.dropout, name="drop")(x, deterministic=not train)
        return nn.Dense(1, name="out")(x)[:, 0]


class _Rows(grain.transforms.RandomMap):
    """Index -> a noisy example, from the example's own generator."""

    def random_map(self, element, rng):
        x = rng.normal(size=INPUTS).astype(np.float32)
        return {"x": x, "y": np.float32(x.sum() + 0.01 * element)}


class ToyStage(Stage):
    """Group ``first`` fits y; group ``second`` fits what ``first`` predicted, handed on as carry."""

    config_class = ToyStageConfig

    @property
    def net(self):
        return Net(self.config.model.width, self.config.model.dropout)

    def batch_spec(self):
        size = self.data.batch_size
        return {
            "x": jax.ShapeDtypeStruct((size, INPUTS), jnp.float32),
            "y": jax.ShapeDtypeStruct((size,), jnp.float32),
        }

    def dataset(self, split, shard, seed):
        train = split == "train"
        count = 64 if train else self.data.eval_examples
        order = grain.MapDataset.range(count).seed(seed if train else seed + 1)
        if train:
            order = order.shuffle().repeat()
        return Batches(
            order,
            order.random_map(_Rows()),
            batch_size=self.data.batch_size,
            shard=shard,
            workers=self.data.workers if train else 0,
            drop_remainder=train,
        )

    def init(self, key, batch, frozen):
        first, second = jax.random.split(key)
        params = {
            "first": self.net.init(first, batch["x"])["params"],
            "second": self.net.init(second, batch["x"])["params"],
        }
        return params, {"count": jnp.zeros((), jnp.float32)}

    def objectives(self):
        return {"first": self.first_loss, "second": self.second_loss}

    def first_loss(self, inputs):
        out = self._apply(inputs.params["first"], inputs)
        loss = jnp.mean(jnp.square(out - inputs.batch["y"]))
        loss = jnp.where(inputs.step == self.config.poison_at, jnp.nan, loss)
        aux = {"count": inputs.aux["count"] + 1}
        return loss, StepReport(metrics={"mse": loss}, aux=aux, carry=jax.lax.stop_gradient(out))

    def second_loss(self, inputs):
        out = self._apply(inputs.params["second"], inputs)
        loss = jnp.mean(jnp.square(out - inputs.carry))
        return loss, StepReport(metrics={}, aux=inputs.aux)

    def _apply(self, params, inputs):
        rngs = {"dropout": inputs.key}
        return self.net.apply({"params": params}, inputs.batch["x"], train=True, rngs=rngs)

    def eval_metrics(self, inputs):
        out = self.net.apply({"params": inputs.params["first"]}, inputs.batch["x"])
        return {"loss": jnp.square(out - inputs.batch["y"]), "one": jnp.ones_like(out)}

    def panels(self, inputs):
        return {
            "x": Panel("image", np.asarray(inputs.batch["x"])),
            "y": Panel("audio", np.asarray(inputs.batch["y"])),
        }

    def release(self, params, aux):
        return {"net": params["first"]}


def toy_config(**changes) -> ExperimentConfig:
    """A run of 20 steps on one device; ``changes`` replace whole sections."""
    optim = OptimConfig(lr=1e-2, warmup_steps=2, decay_exclude="bias$")
    sections = {
        "stage": ToyStageConfig(),
        "data": DataConfig(batch_size=16, eval_examples=24),
        "optim": {"first": optim, "second": optim},
        "mesh": MeshConfig(data=1),
        "run": RunConfig(steps=20, log_every=5, eval_every=10, save_every=4, keep=2),
    }
    return ExperimentConfig(**{**sections, **changes})


def toy_stage(config: ExperimentConfig) -> ToyStage:
    return ToyStage(config.stage, config.data, dtype=dist.compute_dtype(config.run.dtype))


def host_batches(plan, count: int):
    """The first training batches, on the plan's mesh."""
    data = iter(plan.stage.dataset("train", Shard(), plan.config.run.seed))
    return [dist.put_batch(plan.mesh, next(data)) for _ in range(count)]
