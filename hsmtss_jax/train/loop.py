"""The training loop: builds the state, runs the steps, reports, validates, saves, resumes.

Everything on the device happens in three jitted functions (init, step, evaluation step); the loop
itself runs under a transfer guard, so no array crosses between host and device unasked.
"""

import dataclasses
import functools
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import grain
import jax
import jax.numpy as jnp
import optax
from jax.sharding import Mesh
from tqdm import tqdm

from hsmtss_jax import dist
from hsmtss_jax.bundles.bundle import Bundle, load_bundle, save_bundle
from hsmtss_jax.config import ExperimentConfig, to_dict
from hsmtss_jax.train.checkpoint import (
    Checkpointer,
    abstract_state,
    check_same_run,
    differences,
)
from hsmtss_jax.train.evaluate import EvalStep, evaluate, make_eval_step
from hsmtss_jax.train.interrupt import Interrupt
from hsmtss_jax.train.optim import make_optimizer, trainable_mask
from hsmtss_jax.train.stage import Shard, Stage
from hsmtss_jax.train.state import TrainState, create_state, eval_params
from hsmtss_jax.train.step import Step, make_step
from hsmtss_jax.train.warm_start import describe, warm_start
from hsmtss_jax.train.writer import Writer

Tree = Any
_IN_FLIGHT = 2  # steps queued on the device before the host waits
_HOPELESS = 100  # consecutive steps without one finite update before the run gives up


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a run ended: finished is False when it was interrupted; validation is the last pass."""

    state: TrainState
    step: int
    finished: bool
    validation: Mapping[str, float]


@dataclasses.dataclass(frozen=True)
class Plan:
    """A stage made ready for a mesh: its optimisers, its abstract state, the frozen weights on it.

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
    origin: str = ""

    @property
    def identity(self) -> dict[str, Any]:
        """What a checkpoint says about where it comes from."""
        digests = {name: bundle.digest for name, bundle in self.stage.upstream.items()}
        known = {"experiment": to_dict(self.config), "upstream": digests}
        return known | ({"init_from": self.origin} if self.origin else {})

    @property
    def abstract(self) -> TrainState:
        """Shapes and shardings of the state."""
        return abstract_state(self.shapes, self.shardings)

    @property
    def step_frozen(self) -> dict[str, Tree]:
        """The frozen weights that steps read."""
        skip = self.stage.init_only_names
        return {name: params for name, params in self.frozen.items() if name not in skip}

    def init(self) -> TrainState:
        """The state before the first step, made in place on the devices."""
        return jax.jit(self.make_state, out_shardings=self.shardings)(self.key, self.frozen)


def prepare(config: ExperimentConfig, stage: Stage) -> Plan:
    """Checks the config against stage and devices and lays out the state; computes nothing yet.

    Raises:
      ValueError: groups without an optimiser, or a mesh that does not fit the devices.
    """
    groups = list(stage.objectives())
    if set(groups) != set(config.optim):
        raise ValueError(
            f"stage {config.stage.name!r} trains the groups {', '.join(groups)}; "
            f"config.optim holds {', '.join(config.optim) or 'none'}"
        )
    mesh = dist.make_mesh(config.mesh)
    upstream = {name: bundle.params for name, bundle in stage.upstream.items()}
    frozen = dist.put_params(mesh, upstream)
    key = dist.replicate(mesh, jax.random.key(config.run.seed))
    init_params = jax.jit(functools.partial(_init_params, stage))  # is traced once for all its uses
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

    shardings = dist.param_shardings(mesh, shapes)
    return Plan(config, stage, mesh, frozen, optimizers, trainable, init, shapes, shardings, key)


def train(
    config: ExperimentConfig,
    stage: Stage,
    workdir: str | Path,
    *,
    stop_at: int | None = None,
    quiet: bool = False,
) -> Outcome:
    """Trains ``stage`` up to ``run.steps`` in ``workdir``, going on from its last checkpoint.

    On SIGTERM or SIGINT (and after step ``stop_at``) it saves and returns. A finished run writes the
    release bundle to ``workdir/bundle``.

    Raises:
      ValueError: a config that does not fit, or a workdir that holds another run.
      FloatingPointError: no finite gradient in ``_HOPELESS`` steps in a row.
    """
    workdir = Path(workdir)
    plan = prepare(config, stage)
    dist.check_batch(plan.mesh, config.data.batch_size, config.run.accumulate)
    checkpointer = Checkpointer(workdir, config.run.keep)
    try:
        run = _Run(plan, workdir, checkpointer, quiet)
        try:
            return run.loop(stop_at)
        finally:
            run.close()
    finally:
        checkpointer.close()


class _Run:
    """One process's part of a run: the jitted functions, the data, the writers, the counters."""

    def __init__(self, plan: Plan, workdir: Path, checkpointer: Checkpointer, quiet: bool) -> None:
        self.plan, self.workdir, self.checkpointer = plan, workdir, checkpointer
        config, stage = plan.config, plan.stage
        self.shard = Shard(jax.process_index(), jax.process_count())
        self.data = iter(stage.dataset("train", self.shard, config.run.seed))
        self.quiet = quiet or not dist.is_main()
        self.start, self.state = self._restore_or_init()
        self.frozen = plan.step_frozen
        self.step_fn = jit_step(plan)
        self.eval_fn: EvalStep = make_eval_step(stage, plan.mesh)
        self.add_fn = jax.jit(lambda total, new: jax.tree.map(jnp.add, total, new))
        self.writer = Writer(workdir, self.start) if dist.is_main() else None
        self.validation: dict[str, float] = {}
        self.window = _Window(self.start, int(jax.device_get(self.state.skipped)))

    def loop(self, stop_at: int | None) -> Outcome:
        """Steps until the end, a stop, or an interruption; the state is always saved."""
        run = self.plan.config.run
        step = self.start
        bar = tqdm(
            initial=step, total=run.steps, unit="step", disable=self.quiet or None, leave=True
        )
        recent: list[Any] = []
        with Interrupt() as interrupt, jax.transfer_guard("disallow"), bar:
            while step < run.steps:
                metrics = self._one_step()
                step += 1
                recent = [*recent[-_IN_FLIGHT:], metrics]
                if len(recent) > _IN_FLIGHT:
                    jax.block_until_ready(recent[0])
                bar.update()
                logs = step % run.log_every == 0 or step == run.steps
                if logs:
                    self._log(step, metrics, bar)
                evaluates = bool(run.eval_every) and (
                    step % run.eval_every == 0 or step == run.steps
                )
                if evaluates:
                    self._validate(step)
                # Hosts must agree to stop, so several of them ask one another on log steps only.
                asks = self.shard.count == 1 or logs
                stops = step == stop_at or (asks and dist.any_process(interrupt.requested))
                if evaluates or stops or step % run.save_every == 0 or step == run.steps:
                    self._save(step, evaluates)
                if stops:
                    break
        return self._finish(step)

    def close(self) -> None:
        """Closes the log files."""
        if self.writer:
            self.writer.close()

    def _one_step(self) -> dict[str, jax.Array]:
        begun = time.perf_counter()
        host = next(self.data)
        self.window.waited += time.perf_counter() - begun
        batch = dist.put_batch(self.plan.mesh, host)
        self.state, metrics = self.step_fn(self.state, batch, self.frozen, self.plan.key)
        total = self.window.total
        self.window.total = metrics if total is None else self.add_fn(total, metrics)
        return metrics

    def _log(self, step: int, metrics: dict[str, jax.Array], bar: Any) -> None:
        """Means since the last log, speed, and whether anything was learnt at all."""
        totals, last = jax.device_get((self.window.total, metrics))
        seconds = time.perf_counter() - self.window.begun
        count = step - self.window.step
        values = {f"train/{name}": float(total) / count for name, total in totals.items()}
        values["train/skipped"] = float(last["skipped"])
        values["speed/steps_per_second"] = count / seconds
        values["speed/data_wait"] = self.window.waited / seconds  # share of the time
        self._report(step, values)
        bar.set_postfix(_short(values))
        if not self.quiet and bar.disable:
            print(f"step {step}: {_line(values)}", flush=True)
        self._check_learning(step, int(last["skipped"]))
        self.window = self.window.next(step, int(last["skipped"]))

    def _check_learning(self, step: int, skipped: int) -> None:
        groups = len(self.plan.optimizers)
        if skipped - self.window.skipped < (step - self.window.step) * groups:
            self.window.hopeless = 0
            return
        self.window.hopeless += step - self.window.step
        if self.window.hopeless >= _HOPELESS:
            raise FloatingPointError(
                f"no finite gradient in the last {self.window.hopeless} steps before step {step}: "
                "lower the learning rate; the last checkpoint is untouched"
            )

    def _validate(self, step: int) -> None:
        stage, config = self.plan.stage, self.plan.config
        begun = time.perf_counter()
        params, aux = eval_params(self.state), self.state.aux
        batches = stage.dataset("validation", self.shard, config.run.seed)
        size = config.data.batch_size // self.shard.count
        self.validation = evaluate(
            self.eval_fn,
            params,
            aux,
            self.frozen,
            batches,
            self.plan.mesh,
            self.plan.key,
            size,
        )
        values = {f"validation/{name}": value for name, value in self.validation.items()}
        self._report(step, values)
        if not self.quiet:
            tqdm.write(f"step {step}: {_line(values)}")
        if self.writer and self.shard.count == 1:
            with jax.transfer_guard("allow"):
                self.writer.panels(step, self._panels(params, aux, batches))
        spent = time.perf_counter() - begun
        self.window.begun += spent

    def _panels(self, params: Tree, aux: Tree, batches: grain.IterDataset) -> Any:
        first = dist.put_batch(self.plan.mesh, next(iter(batches)))
        return self.plan.stage.panels(params, aux, self.frozen, first, self.plan.key)

    def _report(self, step: int, values: Mapping[str, float]) -> None:
        if self.writer:
            self.writer.scalars(step, values)

    def _save(self, step: int, evaluated: bool) -> None:
        metric = self.validation.get(self.plan.config.run.best_metric) if evaluated else None
        self.checkpointer.save(step, self.state, self.data, self.plan.identity, metric)

    def _restore_or_init(self) -> tuple[int, TrainState]:
        step = self.checkpointer.latest()
        if step is None:
            return 0, self._begin()
        saved = self.checkpointer.config(step)
        check_same_run(saved, self._plain_identity(), self.workdir)
        self.plan = dataclasses.replace(self.plan, origin=saved.get("init_from", ""))
        return step, self.checkpointer.restore(step, self.plan.abstract, self.data)

    def _begin(self) -> TrainState:
        """A new run's state, random or from a bundle."""
        run, state = self.plan.config.run, self.plan.init()
        if not run.init_from:
            return state
        bundle = load_bundle(run.init_from)
        start = warm_start(state, self.plan.shardings, self.plan.stage, bundle, run.init_match)
        self.plan = dataclasses.replace(self.plan, origin=bundle.digest)
        if not self.quiet:
            differing = differences(bundle.config, to_dict(self.plan.config.stage))
            print(describe(start, bundle, differing), flush=True)
        return start.state

    def _plain_identity(self) -> dict[str, Any]:
        return json.loads(json.dumps(self.plan.identity))

    def _finish(self, step: int) -> Outcome:
        self.checkpointer.wait()
        finished = step >= self.plan.config.run.steps
        if finished:
            bundle = release(self.plan, self.state, step)
            if dist.is_main():
                save_bundle(self.workdir / "bundle", bundle)
        return Outcome(self.state, step, finished, self.validation)


@dataclasses.dataclass
class _Window:
    """What gathers between two log steps."""

    step: int
    skipped: int
    hopeless: int = 0
    waited: float = 0.0
    total: dict[str, jax.Array] | None = None
    begun: float = dataclasses.field(default_factory=time.perf_counter)

    def next(self, step: int, skipped: int) -> "_Window":
        return _Window(step, skipped, self.hopeless)


def release(plan: Plan, state: TrainState, step: int) -> Bundle:
    """The release bundle of a state: averaged parameters where an average is kept."""
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


def jit_step(plan: Plan) -> Step:
    """The training step of a plan, compiled; it consumes the state it is given."""
    step = make_step(
        plan.stage.objectives(),
        plan.optimizers,
        plan.config.optim,
        plan.config.run.steps,
        plan.config.run.accumulate,
        plan.trainable,
    )
    shardings = (plan.shardings, dist.replicated(plan.mesh))
    return jax.jit(step, donate_argnums=0, out_shardings=shardings)


def _init_params(
    stage: Stage, key: jax.Array, frozen: Mapping[str, Tree]
) -> tuple[dict[str, Tree], Tree]:
    batch = {name: jnp.zeros(spec.shape, spec.dtype) for name, spec in stage.batch_spec().items()}
    return stage.init(key, batch, frozen)


def _short(values: Mapping[str, float]) -> dict[str, str]:
    """The losses, for the progress bar."""
    return {
        name.removeprefix("train/"): f"{value:.4g}"
        for name, value in values.items()
        if name.endswith("/loss")
    }


def _line(values: Mapping[str, float]) -> str:
    return " ".join(f"{name}={value:.4g}" for name, value in values.items())
