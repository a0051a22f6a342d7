"""A stage made ready for training on a mesh: optimisers, abstract state, frozen weights, compiled step."""

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.sharding import Mesh

from hsmtss_jax import dist
from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.config import ExperimentConfig
from hsmtss_jax.conversion import to_dict
from hsmtss_jax.train.checkpoint import abstract_state
from hsmtss_jax.train.optim import Rates, make_optimizer, rates_of, trainable_mask
from hsmtss_jax.train.stage import Batch, Stage, StepInput
from hsmtss_jax.train.state import TrainState, create_state, eval_params
from hsmtss_jax.train.step import make_step

Tree = Any


@dataclasses.dataclass(frozen=True)
class Plan:
    """Hold a stage made ready for a mesh: its optimisers, its abstract state, the frozen weights on it.

    origin: digest of the bundle that the run started from, "" for random weights.
    """

    config: ExperimentConfig
    stage: Stage
    mesh: Mesh
    frozen: Mapping[str, Tree]  # everything upstream, the starting points of ``init`` included
    optimizers: Mapping[str, optax.GradientTransformation]
    trainable: Mapping[str, Tree]
    make_state: Callable[[jax.Array, Mapping[str, Tree]], TrainState]  # from key and frozen
    shapes: TrainState
    shardings: Any
    key: jax.Array
    rates: Mapping[str, Rates]  # the numbers of the schedules
    origin: str = ""

    @property
    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint says about where it comes from."""
        digests = {name: bundle.digest for name, bundle in self.stage.upstream.items()}
        known = {"experiment": to_dict(self.config), "upstream": digests}
        return known | ({"init_from": self.origin} if self.origin else {})

    @property
    def abstract(self) -> TrainState:
        """Return shapes and shardings of the state."""
        return abstract_state(self.shapes, self.shardings)

    @property
    def step_frozen(self) -> dict[str, Tree]:
        """Return the frozen weights that steps read."""
        skip = self.stage.init_only_names
        return {name: params for name, params in self.frozen.items() if name not in skip}

    def init(self) -> TrainState:
        """Create the state before the first step, in place on the devices."""
        return jax.jit(self.make_state, out_shardings=self.shardings)(self.key, self.frozen)

    def best_metric(self) -> str:
        """Return the validation metric that tells the best checkpoint: the config's, or the stage's own.

        Raises:
          ValueError: the stage measures no such metric.
        """
        name = self.config.run.best_metric or self.stage.best_metric
        if not self.config.run.eval_every:
            return name

        def metrics(state: TrainState, batch: Batch) -> Mapping[str, jax.Array]:
            return self.stage.eval_metrics(self.eval_inputs(state, batch))

        with _explaining_sizes(self.stage):
            known = jax.eval_shape(metrics, self.shapes, self.stage.batch_spec())
        if name not in known:
            raise ValueError(
                f"run.best_metric={name!r} is no metric of stage {self.config.stage.name!r}: choose one of "
                f"{', '.join(known)} (smaller is better)"
            )
        return name

    def eval_inputs(self, state: TrainState, batch: Batch | None = None) -> StepInput:
        """Return what evaluation and panels read of a state: averaged parameters where there are some."""
        return StepInput(
            params=eval_params(state),
            aux=state.aux,
            frozen=self.step_frozen,
            batch=batch or {},
            key=self.key,
            step=state.step,
        )


def prepare(config: ExperimentConfig, stage: Stage) -> Plan:
    """Check the config against stage and devices and lay out the state; nothing is computed yet.

    The plan's config holds the stage's own, in which the upstream's sizes are filled in.

    Raises:
      ValueError: groups without an optimiser, or a mesh that does not fit the devices.
    """
    config = _with_stage(config, stage)
    mesh = dist.make_mesh(config.mesh)
    upstream = {name: bundle.params for name, bundle in stage.upstream.items()}
    frozen = dist.put_params(mesh, upstream, config.mesh.shard_from)
    key, rates = dist.replicate(mesh, (jax.random.key(config.run.seed), _rates(config)))
    return _lay_out(config, stage, mesh, frozen, key, rates)


def prepare_abstract(config: ExperimentConfig, stage: Stage, mesh: Mesh) -> Plan:
    """Lay out the state on a mesh whose devices may not be here: its frozen weights and key are shapes.

    Raises as ``prepare`` does.
    """
    config = _with_stage(config, stage)
    upstream = {name: bundle.params for name, bundle in stage.upstream.items()}
    small = jax.eval_shape(lambda: (jax.random.key(0), _rates(config)))
    placed = abstract_state(
        (upstream, *small),  # type: ignore[arg-type]
        (
            dist.param_shardings(mesh, upstream, config.mesh.shard_from),
            *jax.tree.map(lambda _: dist.replicated(mesh), small),
        ),
    )
    return _lay_out(config, stage, mesh, *placed)  # type: ignore[misc]


def _rates(config: ExperimentConfig) -> dict[str, Rates]:
    return {group: rates_of(optim, config.run.steps) for group, optim in config.optim.items()}


def _with_stage(config: ExperimentConfig, stage: Stage) -> ExperimentConfig:
    """Return the config with the stage's own in it. Raises ValueError for groups without an optimiser."""
    config = dataclasses.replace(config, stage=stage.config)
    groups = list(stage.objectives())
    if set(groups) != set(config.optim):
        raise ValueError(
            f"stage {config.stage.name!r} trains the groups {', '.join(groups)}; "
            f"config.optim holds {', '.join(config.optim) or 'none'}"
        )
    return config


@contextlib.contextmanager
def _explaining_sizes(stage: Stage) -> Iterator[None]:
    """Raise errors of shapes, which JAX tells over many lines, as a line that says whose they are."""
    try:
        yield
    except (TypeError, ValueError) as error:
        text = (str(error).strip() or type(error).__name__).split("\n")[0]
        names = ", ".join(stage.upstream) or "none"
        raise ValueError(
            f"the sizes of stage {stage.config.name!r} do not fit one another, or its upstream bundles "
            f"({names}): {text}"
        ) from error


def _lay_out(
    config: ExperimentConfig,
    stage: Stage,
    mesh: Mesh,
    frozen: Mapping[str, Tree],
    key: jax.Array,
    rates: Mapping[str, Rates],
) -> Plan:
    groups = list(stage.objectives())
    init_params = jax.jit(functools.partial(_init_params, stage))  # is traced once for all its uses
    with _explaining_sizes(stage):
        params, aux = jax.eval_shape(init_params, key, frozen)
    if set(params) != set(groups):
        raise ValueError(
            f"init of stage {config.stage.name!r} returned the groups {sorted(params)}"
        )
    steps = config.run.steps
    optimizers = {
        group: make_optimizer(config.optim[group], params[group], steps) for group in groups
    }
    trainable = {group: trainable_mask(config.optim[group], params[group]) for group in groups}
    averaged = {group for group, optim in config.optim.items() if optim.ema}
    create = functools.partial(create_state, optimizers=optimizers, averaged=averaged)
    shapes = jax.eval_shape(create, params, aux)

    def init(key: jax.Array, frozen: Mapping[str, Tree]) -> TrainState:
        return create(*init_params(key, frozen))

    shardings = dist.param_shardings(mesh, shapes, config.mesh.shard_from)
    return Plan(
        config, stage, mesh, frozen, optimizers, trainable, init, shapes, shardings, key, rates
    )


def release(plan: Plan, state: TrainState, step: int) -> Bundle:
    """Build the release bundle of a state: averaged parameters where an average is kept."""
    tree = plan.stage.release(eval_params(state), state.aux)
    meta = {"step": step, "experiment": to_dict(plan.config)}
    if plan.origin:
        meta["init_from"] = plan.origin
    return Bundle(
        stage=plan.config.stage.name,
        config=to_dict(plan.config.stage),
        params=dist.to_host(tree),
        upstream=plan.identity["upstream"],
        meta=meta,
    )


@dataclasses.dataclass(frozen=True)
class JittedStep:
    """Call a jitted step with the numbers of the plan's schedules, the first of its arguments."""

    jitted: Any
    rates: Mapping[str, Rates]

    def __call__(self, *args: Any) -> Any:
        return self.jitted(self.rates, *args)

    def lower(self, *args: Any) -> Any:
        """Lower the step for these arguments."""
        return self.jitted.lower(self.rates, *args)

    def trace(self, *args: Any) -> Any:
        """Trace the step for these arguments."""
        return self.jitted.trace(self.rates, *args)


def jit_step(plan: Plan) -> JittedStep:
    """Compile the training step of a plan; it consumes the state it is given.

    Learning rates and length are arguments: a run that is given others finds its program compiled.
    """
    optim, steps = plan.config.optim, plan.config.run.steps

    def step(rates: Mapping[str, Rates], state: TrainState, *args: Any) -> Any:
        optimizers = {
            group: make_optimizer(optim[group], state.params[group], steps, rates[group])
            for group in plan.optimizers
        }
        whole = make_step(
            plan.stage.objectives(),
            optimizers,
            optim,
            steps,
            plan.config.run.accumulate,
            plan.trainable,
            rates,
        )
        return whole(state, *args)

    shardings = (plan.shardings, dist.replicated(plan.mesh))
    jitted = jax.jit(step, donate_argnums=1, out_shardings=shardings)
    return JittedStep(jitted, plan.rates)


def _init_params(
    stage: Stage, key: jax.Array, frozen: Mapping[str, Tree]
) -> tuple[dict[str, Tree], Tree]:
    batch = {name: jnp.zeros(spec.shape, spec.dtype) for name, spec in stage.batch_spec().items()}
    return stage.init(key, batch, frozen)
