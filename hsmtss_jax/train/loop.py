"""Training loop: build the state, run the steps, report, validate, save, resume.

Everything on the device happens in three jitted functions (init, step, evaluation step); the loop
itself runs under a transfer guard, so no array crosses between host and device unasked.
"""

import dataclasses
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grain
import jax
import jax.numpy as jnp
from tqdm import tqdm

from hsmtss_jax import dist
from hsmtss_jax.bundles.bundle import load_bundle, save_bundle
from hsmtss_jax.config import ExperimentConfig, Shard
from hsmtss_jax.conversion import to_dict
from hsmtss_jax.train.checkpoint import Checkpointer, check_same_run, differences
from hsmtss_jax.train.evaluate import EvalStep, evaluate, make_eval_step
from hsmtss_jax.train.interrupt import Interrupt
from hsmtss_jax.train.plan import Plan, jit_step, prepare, release
from hsmtss_jax.train.stage import Panel, Stage, StepInput
from hsmtss_jax.train.state import TrainState
from hsmtss_jax.train.warm_start import describe, warm_start
from hsmtss_jax.train.writer import Writer

_IN_FLIGHT = 2  # steps queued on the device before the host waits
MAX_NONFINITE_STEPS = 100  # in a row, without one finite update, before a run gives up


@dataclasses.dataclass(frozen=True)
class TrainOutcome:
    """Tell how a run ended: finished is False when it was interrupted; validation is the last pass."""

    state: TrainState
    step: int
    finished: bool
    validation: Mapping[str, float]


def train(
    config: ExperimentConfig,
    stage: Stage,
    workdir: str | Path,
    *,
    stop_at: int | None = None,
    quiet: bool = False,
    max_nonfinite_steps: int = MAX_NONFINITE_STEPS,
) -> TrainOutcome:
    """Train ``stage`` up to ``run.steps`` in ``workdir``, going on from its last checkpoint.

    On SIGTERM or SIGINT it saves and returns. A finished run writes the release bundle to
    ``workdir/bundle``.

    Args:
      config: the experiment; its stage section is replaced by ``stage.config``.
      stage: what is trained.
      workdir: checkpoints, logs and bundle; a run that is there already goes on.
      stop_at: a step after which it stops as if interrupted.
      quiet: no progress bar and no lines.
      max_nonfinite_steps: steps in a row without one finite update after which it gives up.

    Raises:
      ValueError: a config that does not fit, or a workdir that holds another run.
      FloatingPointError: no finite gradient in ``max_nonfinite_steps`` steps in a row.
    """
    workdir = Path(workdir)
    plan = prepare(config, stage)
    dist.check_batch(plan.mesh, config.data.batch_size, config.run.accumulate)
    checkpointer = Checkpointer(workdir, config.run.keep)
    try:
        run = _Run(plan, workdir, checkpointer, quiet, max_nonfinite_steps)
        try:
            return run.loop(stop_at)
        finally:
            run.close()
    finally:
        checkpointer.close()


class _Run:
    """Run one process's part: the jitted functions, the data, the writers, the counters."""

    def __init__(
        self, plan: Plan, workdir: Path, checkpointer: Checkpointer, quiet: bool, patience: int
    ) -> None:
        self.patience = patience
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
        self.interval = LogInterval(self.start, int(jax.device_get(self.state.skipped)))

    def loop(self, stop_at: int | None) -> TrainOutcome:
        """Run steps until the end, a stop, or an interruption; the state is always saved."""
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
        """Close the log files."""
        if self.writer:
            self.writer.close()

    def _one_step(self) -> dict[str, jax.Array]:
        begun = time.perf_counter()
        host = next(self.data)
        self.interval.waited += time.perf_counter() - begun
        batch = dist.put_batch(self.plan.mesh, host)
        self.state, metrics = self.step_fn(self.state, batch, self.frozen, self.plan.key)
        total = self.interval.total
        self.interval.total = metrics if total is None else self.add_fn(total, metrics)
        return metrics

    def _log(self, step: int, metrics: dict[str, jax.Array], bar: Any) -> None:
        """Log means since the last log and the speed; stop where nothing was learnt at all."""
        totals, last = jax.device_get((self.interval.total, metrics))
        seconds = time.perf_counter() - self.interval.begun
        count = step - self.interval.step
        values = {f"train/{name}": float(total) / count for name, total in totals.items()}
        values["train/skipped"] = float(last["skipped"])
        values["speed/steps_per_second"] = count / seconds
        values["speed/data_wait"] = self.interval.waited / seconds  # share of the time
        self._report(step, values)
        bar.set_postfix(_short(values))
        if not self.quiet and bar.disable:
            print(f"step {step}: {_line(values)}", flush=True)
        self._check_learning(step, int(last["skipped"]))
        self.interval = self.interval.next(step, int(last["skipped"]))

    def _check_learning(self, step: int, skipped: int) -> None:
        groups = len(self.plan.optimizers)
        if skipped - self.interval.skipped < (step - self.interval.step) * groups:
            self.interval.nonfinite_steps = 0
            return
        self.interval.nonfinite_steps += step - self.interval.step
        if self.interval.nonfinite_steps >= self.patience:
            raise FloatingPointError(
                f"no finite gradient in the last {self.interval.nonfinite_steps} steps before step {step}: "
                "lower the learning rate; the last checkpoint is untouched"
            )

    def _validate(self, step: int) -> None:
        stage, config = self.plan.stage, self.plan.config
        begun = time.perf_counter()
        inputs = self.plan.eval_inputs(self.state)
        batches = stage.dataset("validation", self.shard, config.run.seed)
        size = config.data.batch_size // self.shard.count
        self.validation = evaluate(self.eval_fn, inputs, batches, self.plan.mesh, size)
        values = {f"validation/{name}": value for name, value in self.validation.items()}
        self._report(step, values)
        if not self.quiet:
            tqdm.write(f"step {step}: {_line(values)}")
        if self.writer and self.shard.count == 1:
            with jax.transfer_guard("allow"):
                self.writer.panels(step, self._panels(inputs, batches))
        spent = time.perf_counter() - begun
        self.interval.begun += spent

    def _panels(self, inputs: StepInput, batches: grain.IterDataset) -> dict[str, Panel]:
        batch = dist.put_batch(self.plan.mesh, next(iter(batches)))
        return self.plan.stage.panels(dataclasses.replace(inputs, batch=batch))

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
        """Create a new run's state, random or from a bundle."""
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

    def _finish(self, step: int) -> TrainOutcome:
        self.checkpointer.wait()
        finished = step >= self.plan.config.run.steps
        if finished:
            bundle = release(self.plan, self.state, step)
            if dist.is_main():
                save_bundle(self.workdir / "bundle", bundle)
        return TrainOutcome(self.state, step, finished, self.validation)


@dataclasses.dataclass
class LogInterval:
    """Collect sums and counters between two log steps."""

    step: int
    skipped: int
    nonfinite_steps: int = 0
    waited: float = 0.0
    total: dict[str, jax.Array] | None = None
    begun: float = dataclasses.field(default_factory=time.perf_counter)

    def next(self, step: int, skipped: int) -> "LogInterval":
        return LogInterval(step, skipped, self.nonfinite_steps)


def _short(values: Mapping[str, float]) -> dict[str, str]:
    """Format the losses for the progress bar."""
    return {
        name.removeprefix("train/"): f"{value:.4g}"
        for name, value in values.items()
        if name.endswith("/loss")
    }


def _line(values: Mapping[str, float]) -> str:
    return " ".join(f"{name}={value:.4g}" for name, value in values.items())
