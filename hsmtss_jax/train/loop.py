"""Training loop: build the state, run the steps, report, validate, save, resume.

Everything on the device happens in three jitted functions (init, step, evaluation step); the loop
itself runs under a transfer guard, so no array crosses between host and device unasked.
"""

import contextlib
import dataclasses
import functools
import json
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import grain
import jax
import numpy as np
from tqdm import tqdm

from hsmtss_jax import dist
from hsmtss_jax.bundles.bundle import load_bundle, save_bundle
from hsmtss_jax.config import ExperimentConfig, Shard
from hsmtss_jax.conversion import check_values, to_dict
from hsmtss_jax.train.checkpoint import Checkpointer
from hsmtss_jax.train.digest import DamagedError
from hsmtss_jax.train.draws import Draws, data_failure
from hsmtss_jax.train.evaluate import EvalStep, evaluate, make_eval_step
from hsmtss_jax.train.guard import LEAD, SpikeGuard, Watched
from hsmtss_jax.train.identity import check_same_run, differences
from hsmtss_jax.train.interrupt import Interrupt, TryAgainError
from hsmtss_jax.train.lock import lock_workdir
from hsmtss_jax.train.meter import LogInterval, line, short
from hsmtss_jax.train.plan import Plan, jit_step, prepare, release
from hsmtss_jax.train.stage import Panel, Stage, StepInput
from hsmtss_jax.train.state import TrainState
from hsmtss_jax.train.warm_start import describe, warm_start
from hsmtss_jax.train.watch import Watch
from hsmtss_jax.train.writer import Writer

_IN_FLIGHT = 2  # steps queued on the device before the host waits
_CONFIRMED = 2  # steps that must go well after a checkpoint before older ones are deleted
_TOLD = 3  # skipped steps in a row that are told one by one
_NAMED = 4  # examples named of each


@dataclasses.dataclass(frozen=True)
class TrainOutcome:
    """Tell how a run ended.

    finished: False when it was stopped. validation: the last pass. saved: step of the last checkpoint.
    signal: number of the one that stopped it.
    """

    state: TrainState
    step: int
    finished: bool
    validation: Mapping[str, float]
    saved: int | None = None
    signal: int | None = None


def train(
    config: ExperimentConfig,
    stage: Stage,
    workdir: str | Path,
    *,
    stop_at: int | None = None,
    quiet: bool = False,
) -> TrainOutcome:
    """Train ``stage`` up to ``run.steps`` in ``workdir``, going on from its last good checkpoint.

    On SIGTERM, SIGINT or SIGHUP it saves and returns. A finished run writes the release bundle to
    ``workdir/bundle``.

    Args:
      config: the experiment; its stage section is replaced by ``stage.config``.
      stage: what is trained.
      workdir: checkpoints, logs and bundle; a run that is there already goes on.
      stop_at: a step after which it stops as if interrupted.
      quiet: no progress bar and no lines.

    Raises:
      ValueError: a config that does not fit, or a workdir that holds another run.
      TryAgainError: another process trains there, or a data worker was lost.
      FloatingPointError: updates are skipped again and again, also after going back.
    """
    workdir = Path(workdir)
    check_values(config)
    with _owned(workdir):
        data = _Data(stage, config)
        plan = prepare(config, stage)
        dist.check_batch(plan.mesh, config.data.batch_size, config.run.accumulate)
        checkpointer = Checkpointer(workdir, config.run.keep, config.mesh.timeout)
        checkpointer.clean()
        try:
            run = _Run(plan, data, workdir, checkpointer, quiet)
            try:
                return run.loop(stop_at)
            finally:
                run.close()
        finally:
            checkpointer.close()


@contextlib.contextmanager
def _owned(workdir: Path) -> Iterator[None]:
    """Hold the lock of the workdir, on the main process for all of them."""
    refused: OSError | None = None
    with contextlib.ExitStack() as stack:
        if dist.is_main():
            try:
                stack.enter_context(lock_workdir(workdir))
            except OSError as error:
                refused = error
        if dist.from_main(int(refused is not None)):
            raise refused or TryAgainError(f"the main process cannot train in {workdir}")
        yield


class _Data:
    """Hold this process's part of both splits; what is missing is missed before anything compiles."""

    def __init__(self, stage: Stage, config: ExperimentConfig) -> None:
        self.shard = Shard(jax.process_index(), jax.process_count())
        self.train = stage.dataset("train", self.shard, config.run.seed)
        self.validation = (
            stage.dataset("validation", self.shard, config.run.seed)
            if config.run.eval_every
            else None
        )


class _Run:
    """Run one process's part: the jitted functions, the data, the writers, the counters."""

    def __init__(
        self, plan: Plan, data: _Data, workdir: Path, checkpointer: Checkpointer, quiet: bool
    ) -> None:
        self.plan, self.workdir, self.checkpointer = plan, workdir, checkpointer
        config, stage = plan.config, plan.stage
        self.metric = plan.best_metric()
        self.shard, self.batches = data.shard, data.validation
        self.draws = Draws(iter(data.train))
        self.quiet = quiet or not dist.is_main()
        self.guard = SpikeGuard(list(plan.optimizers), config.run.spike, config.run.patience)
        self.watch = Watch(self.guard, functools.partial(dist.replicate, plan.mesh))
        self.unconfirmed: list[int] = []  # checkpoints after which it is not known how it went on
        self.owed = False  # a checkpoint was due while updates were skipped
        self.compiles = True  # at the first step
        self.validation: dict[str, float] = {}
        self.step = 0
        self.state = self._restore() or self._begin()
        self.frozen = plan.step_frozen
        self.step_fn = jit_step(plan)
        self.eval_fn: EvalStep = make_eval_step(stage, plan.mesh)
        self.writer = Writer(workdir, self.step) if dist.is_main() else None
        self.interval = LogInterval(self.step)

    def loop(self, stop_at: int | None) -> TrainOutcome:
        """Run steps until the end, a stop, or an interruption; the state is saved where it is good."""
        run = self.plan.config.run
        steps = run.steps
        bar = tqdm(
            initial=self.step, total=steps, unit="step", disable=self.quiet or None, leave=True
        )
        with Interrupt() as interrupt, jax.transfer_guard("disallow"), bar:
            while self.step < steps:
                batch = self._draw(interrupt)
                if batch is None:
                    break
                self._one_step(batch)
                if self._lost():
                    self._go_back()
                    bar.n = self.step
                    continue
                bar.update()
                logs = self.step % run.log_every == 0 or self.step == steps
                if logs:
                    self._log(bar)
                evaluates = bool(run.eval_every) and (
                    self.step % run.eval_every == 0 or self.step == steps
                )
                if evaluates:
                    self._validate()
                # Hosts must agree to stop, so several of them ask one another on log steps only.
                asks = self.shard.count == 1 or logs
                stops = self.step == stop_at or (asks and dist.any_process(interrupt.requested))
                due = self.step % run.save_every == 0 or self.step == steps
                if evaluates or stops or due or self.owed:
                    self._save(evaluates)
                if stops:
                    break
        return self._finish(interrupt.number)

    def close(self) -> None:
        """Close the log files and end the data workers."""
        if self.writer:
            self.writer.close()
        self.draws.close()

    def _draw(self, interrupt: Interrupt) -> Mapping[str, np.ndarray] | None:
        """Return the next batch; None where a signal ended the data workers, too."""
        try:
            return self.draws.next()
        except Exception as error:
            saved = None
            if self.shard.count == 1:  # others wait in the next step: nothing can be saved together
                self._save(False)
                self.checkpointer.wait()
                saved = self.checkpointer.latest()
            if interrupt.requested:
                return None
            where = f"stopped at step {self.step}, the last checkpoint is {saved}"
            raise data_failure(error, f"{where}: the same command goes on") from error

    def _one_step(self, host: Mapping[str, np.ndarray]) -> None:
        batch = dist.put_batch(self.plan.mesh, host)
        limits = self.watch.limits(self.step)
        self.state, metrics = self.step_fn(self.state, batch, self.frozen, self.plan.key, limits)
        if self.compiles:  # which must not count as slow steps
            jax.block_until_ready(metrics)
            self.compiles, self.interval.begun = False, time.perf_counter()
            self.interval.step += 1
        self.watch.add(self.step, self.draws.count - 1, metrics)
        self.interval.add(metrics)
        self.step += 1
        self._settle(0 if self.step == self.plan.config.run.steps else _IN_FLIGHT)

    def _settle(self, most: int) -> None:
        """Wait until at most ``most`` steps are in flight, and see how the others went."""
        for seen in self.watch.settle(most):
            if seen.skipped:
                self._tell_skipped(seen)
                continue
            sure = [step for step in self.unconfirmed if step + _CONFIRMED <= seen.step + 1]
            if sure:
                self.unconfirmed = self.unconfirmed[len(sure) :]
                self.checkpointer.prune(sure[-1])

    def _tell_skipped(self, seen: Watched) -> None:
        """Write a skipped step down with its examples, and say so for the first ones in a row."""
        reason, examples = self.guard.reason(), self.draws.names(seen.draw)
        if self.writer:
            self.writer.skipped(seen.step + 1, reason, examples)
        if not self.quiet and len(self.guard.streak) <= _TOLD:
            named = f": {', '.join(examples[:_NAMED])}" if examples else ""
            more = f" and {len(examples) - _NAMED} more" if len(examples) > _NAMED else ""
            tqdm.write(f"step {seen.step + 1} is skipped, {reason}{named}{more}", file=sys.stderr)

    def _lost(self) -> bool:
        """Return whether skipping does not help, or the run would end amid skipped steps."""
        if self._settled_badly():
            self._settle(0)  # one that is in flight may have gone well
        return self._settled_badly()

    def _settled_badly(self) -> bool:
        ends = self.step == self.plan.config.run.steps and len(self.guard.streak) > LEAD
        return self.guard.exhausted or ends

    def _go_back(self) -> None:
        """Go on from a good checkpoint, without the batches that led here.

        Raises:
          FloatingPointError: there is none, or that was tried often enough.
        """
        first, reason = self.guard.streak[0].step, self.guard.reason()
        self.checkpointer.wait()
        known = self.checkpointer.steps()
        ruined = len(known) > 1 and known[-1] == first  # not one good step followed it
        if dist.from_main(int(ruined)):
            spoiled = known.pop()
            self.checkpointer.set_aside(spoiled, DamagedError("training diverged before it"))
        if not known or self.guard.rewinds >= self.plan.config.run.rewinds:
            raise FloatingPointError(self._truth(reason, known))
        self.draws.pass_over(self.guard.offending())
        skipped = len(self.guard.streak)
        self.guard.went_back()
        state = self._restore()
        assert state is not None
        self.state = state
        if self.writer:
            self.writer.close()
            self.writer = Writer(self.workdir, self.step)
        self.interval = LogInterval(self.step, self.draws.waited)
        if not self.quiet:
            tqdm.write(
                f"no update in {skipped} steps ({reason}): back to step {self.step}, without the batches "
                "that led here",
                file=sys.stderr,
            )

    def _truth(self, reason: str, known: list[int]) -> str:
        text = f"no update in the last {len(self.guard.streak)} steps before step {self.step}: {reason}"
        if self.guard.rewinds:
            text += f"; going back {self.guard.rewinds} times did not help"
        last = f"the last good checkpoint is {known[-1]}" if known else "there is no checkpoint yet"
        return f"{text}; {last}: lower the learning rate, or look at the examples in skipped.jsonl"

    def _log(self, bar: Any) -> None:
        """Log means since the last log and the speed."""
        config, waited = self.plan.config, self.draws.waited
        values = {f"train/{name}": value for name, value in self.interval.means().items()}
        values["train/skipped"] = float(jax.device_get(self.state.skipped))
        values |= self.interval.speed(self.step, waited, config.data.batch_size)
        self._report(self.step, values)
        bar.set_postfix(short(values))
        if not self.quiet and bar.disable:
            print(f"step {self.step}: {line(values)}", flush=True)
        self.interval = LogInterval(self.step, waited)

    def _validate(self) -> None:
        begun, batches = time.perf_counter(), self.batches
        assert batches is not None
        inputs = self.plan.eval_inputs(self.state)
        size = self.plan.config.data.batch_size // self.shard.count
        self.validation = evaluate(self.eval_fn, inputs, batches, self.plan.mesh, size)
        values = {f"validation/{name}": value for name, value in self.validation.items()}
        self._report(self.step, values)
        if not self.quiet:
            tqdm.write(f"step {self.step}: {line(values)}")
        if self.writer and self.shard.count == 1:
            with jax.transfer_guard("allow"):
                self.writer.panels(self.step, self._panels(inputs, batches))
        self.interval.begun += time.perf_counter() - begun

    def _panels(self, inputs: StepInput, batches: grain.IterDataset) -> dict[str, Panel]:
        batch = dist.put_batch(self.plan.mesh, next(iter(batches)))
        return self.plan.stage.panels(dataclasses.replace(inputs, batch=batch))

    def _report(self, step: int, values: Mapping[str, float]) -> None:
        if self.writer:
            self.writer.scalars(step, values)

    def _save(self, evaluated: bool) -> None:
        """Save unless updates are being skipped; then it is made up for after the next good step."""
        self._settle(0)
        ends = self.step == self.plan.config.run.steps
        self.owed = not self.guard.healthy and not ends
        if self.owed:
            return
        metric = self.validation.get(self.metric) if evaluated else None
        progress = {"guard": self.guard.to_dict(), "draws": self.draws.to_dict()}
        about = {**self.plan.identity, "progress": progress}
        self.checkpointer.save(self.step, self.state, self.draws.data, about, metric)
        self.unconfirmed.append(self.step)

    def _restore(self) -> TrainState | None:
        """Return the state of the newest good checkpoint, if there is any; all else goes there, too."""
        now = self._plain_identity()

        def check(saved: Mapping[str, Any]) -> None:
            check_same_run(saved, now, self.workdir)

        resumed = self.checkpointer.resume(self.plan.abstract, self.draws.data, check)
        if resumed is None:
            return None
        saved = resumed.config
        self.step = resumed.step
        self.plan = dataclasses.replace(self.plan, origin=saved.get("init_from", ""))
        progress = saved.get("progress", {})  # older checkpoints have none
        self.guard.restore(progress.get("guard", {}))
        self.draws.restore(progress.get("draws", {}), self.step)
        self.watch.forget()
        self.unconfirmed, self.owed = [], False
        return resumed.state

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

    def _finish(self, signal: int | None) -> TrainOutcome:
        self.checkpointer.wait()
        finished = self.step >= self.plan.config.run.steps
        saved = self.checkpointer.latest()
        if finished:
            self.checkpointer.prune(self.step)
            bundle = release(self.plan, self.state, self.step)
            if dist.is_main():
                save_bundle(self.workdir / "bundle", bundle)
        return TrainOutcome(self.state, self.step, finished, self.validation, saved, signal)
