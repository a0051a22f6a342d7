"""Run the steps of a recipe, each in a process of its own, and go on after whatever stopped a former run.

A process a stage: the memory of one (host and device) is given back before the next begins, branches may run
side by side, a stage that dies says so by its exit status, and what runs is what a user would type.
"""

import dataclasses
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from hsmtss_jax.atomic import write_text
from hsmtss_jax.recipes import budget
from hsmtss_jax.recipes.steps import Step, check_upstream

AGAIN = 75  # exit status: try again
_LOST_SECONDS = 7 * 24 * 3600.0  # that a host waits for another's output
_HOST_NUMBERS = ("TPU_WORKER_ID", "SLURM_PROCID", "JOB_COMPLETION_INDEX", "OMPI_COMM_WORLD_RANK")


class Child(Protocol):
    """Describe a running command."""

    def poll(self) -> int | None:
        """Return its exit status, None while it runs."""

    def stop(self) -> None:
        """Tell it to save and end, and wait until it has."""


Launch = Callable[[Sequence[str], Path], Child]  # a command line and the file of its log


class StepFailed(Exception):
    """Say that a step ended with a status other than 0."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def host_number(environment: Mapping[str, str]) -> int:
    """Return which host of a pod this is, by what launchers set; 0 where none says."""
    found = [environment[name] for name in _HOST_NUMBERS if environment.get(name, "").isdigit()]
    return int(found[0]) if found else 0


def claim(workdir: Path, size: str, host: int = 0) -> None:
    """Keep the size of a workdir's recipe. Raises ValueError where it is another."""
    path = workdir / "recipe.json"
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))["size"]
        if before != size:
            raise ValueError(f"{workdir} holds a recipe of size {before}: choose another --workdir")
    elif host == 0:
        workdir.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps({"size": size}) + "\n")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Hold how steps are run.

    Attributes:
      minutes: for all of them together; None: every training is as long as its config says.
      jobs: how many may run side by side.
      host: this host's number: the first one alone runs what is no training, and decides lengths.
      attempts: of a step that asks to be tried again.
      pause: between two looks at what runs [s].
      patience: between two attempts [s].
    """

    minutes: float | None = None
    jobs: int = 1
    host: int = 0
    attempts: int = 5
    pause: float = 0.2
    patience: float = 10.0


class Runner:
    """Run steps as soon as what they need is there.

    Args:
      steps: those to run, in order.
      workdir: of the recipe.
      settings: how.
      launch: starts a command.
      say: prints a line.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        workdir: Path,
        settings: Settings,
        launch: Launch,
        say: Callable[[str], None] = print,
    ) -> None:
        self.steps, self.workdir, self.settings = list(steps), workdir, settings
        self.launch, self.say = launch, say
        self.clock = _Clock(workdir / "spent.json", settings.host == 0)
        self.running: dict[str, _Running] = {}

    def run(self) -> None:
        """Run all steps that are not done.

        Raises:
          StepFailed: one of them failed; the others were stopped, and have saved.
          ValueError: a finished stage stands on other bundles than are there now.
        """
        waiting = []
        for step in self.steps:
            check_upstream(step)
            if step.done:
                self.say(f"{step.name}: done before")
            else:
                waiting.append(step)
        try:
            while waiting or self.running:
                waiting = self._start(waiting)
                self._look()
                time.sleep(self.settings.pause)
        finally:
            for each in self.running.values():
                each.stop()
            self.clock.save()

    def _start(self, waiting: list[Step]) -> list[Step]:
        """Start what can be; return the rest."""
        rest = []
        for step in waiting:
            open_ = {other.name for other in (*waiting, *self._running_steps())}
            if len(self.running) < self.settings.jobs and not open_ & set(step.needs):
                self.running[step.name] = _Running(step, self._commands(step), self._open(step))
                self.say(f"{step.name}: started, its log is {self._log(step)}")
            else:
                rest.append(step)
        return rest

    def _running_steps(self) -> list[Step]:
        return [each.step for each in self.running.values()]

    def _log(self, step: Step) -> Path:
        return self.workdir / "logs" / f"{step.name}.log"

    def _open(self, step: Step) -> Callable[[Sequence[str]], Child]:
        def start(words: Sequence[str]) -> Child:
            log = self._log(step)
            log.parent.mkdir(parents=True, exist_ok=True)
            return self.launch(words, log)

        return start

    def _commands(self, step: Step) -> Iterator[Sequence[str] | Path]:
        """Yield the commands of a step, one after another; a path is waited for."""
        if step.experiment is None:
            yield step.words if self.settings.host == 0 else step.output
        elif self.settings.minutes is None:
            yield step.words
        else:
            yield from self._timed(step)
        if self.settings.host:
            yield step.output

    def _timed(self, step: Step) -> Iterator[Sequence[str] | Path]:
        """Yield the commands of a training that is as long as its time."""
        config, folder = step.experiment, step.output.parent
        assert config is not None and self.settings.minutes is not None
        if budget.read_length(folder) is None:
            begun = time.monotonic()
            left = 60 * self.settings.minutes - self.clock.seconds
            own = left * budget.share_of_rest(self.steps, step.name, self.settings.jobs)
            stop = f"--stop-at={budget.probe_steps(config)}"
            yield (*step.words, *budget.probe_overrides(config), stop)
            if self.settings.host == 0:
                speed = budget.measured_speed(folder)
                probed = time.monotonic() - begun
                start_up = max(probed - budget.probe_steps(config) / speed, 0.0)  # comes once more
                length = budget.fit(config, speed, own - probed - start_up)
                budget.write_length(folder, length)
                self.say(f"{step.name}: {length.steps} steps, at {speed:.3g} a second")
            else:
                yield folder / "length.json"
        decided = budget.read_length(folder)
        assert decided is not None
        yield (*step.words, *budget.fitted_overrides(config, decided.steps))

    def _look(self) -> None:
        """Go on with what has ended a command."""
        for name, each in list(self.running.items()):
            status = each.poll(self.settings)
            if status is None:
                continue
            del self.running[name]
            self.clock.save()
            if status:
                raise StepFailed(self._told(each.step, status), status)
            if not each.step.done:
                raise StepFailed(
                    f"{name} left no {each.step.output}: see {self._log(each.step)}", 1
                )
            self.say(f"{name}: done in {each.seconds:.0f} s")

    def _told(self, step: Step, status: int) -> str:
        log = self._log(step)
        lines = (
            log.read_text(encoding="utf-8", errors="replace").split("\n") if log.exists() else []
        )
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f"{step.name} ended with status {status}: {last} (the log is {log}; the same command goes on)"


class _Running:
    """Hold a step that runs: its commands, the present one, and how often it was tried."""

    def __init__(
        self,
        step: Step,
        commands: Iterator[Sequence[str] | Path],
        start: Callable[[Sequence[str]], Child],
    ) -> None:
        self.step, self._commands, self._start = step, commands, start
        self._begun = time.monotonic()
        self._again, self._tries = 0.0, 0
        self._child: Child | None = None
        self._next()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun

    def _next(self) -> bool:
        """Begin the next command; return whether there is one."""
        self._command = next(self._commands, None)
        self._tries, self._child = 0, None
        return self._command is not None

    def poll(self, settings: Settings) -> int | None:
        """Return the step's exit status, None while it runs."""
        command = self._command
        if command is None:
            return 0
        if isinstance(command, Path):
            if not command.exists():
                return 1 if self.seconds > _LOST_SECONDS else None
            return None if self._next() else 0
        if self._child is None:
            if time.monotonic() < self._again:
                return None
            self._child = self._start(command)
            self._tries += 1
        status = self._child.poll()
        if status == AGAIN and self._tries < settings.attempts:
            self._child, self._again = None, time.monotonic() + settings.patience
            return None
        if status == 0:
            return None if self._next() else 0
        return status

    def stop(self) -> None:
        """Stop the present command."""
        if self._child is not None and self._child.poll() is None:
            self._child.stop()


class _Clock:
    """Count the time that a recipe takes, over all its runs."""

    def __init__(self, path: Path, keeps: bool) -> None:
        self._path, self._keeps, self._begun = path, keeps, time.monotonic()
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"seconds": 0.0}
        self._before = float(known["seconds"])

    @property
    def seconds(self) -> float:
        return self._before + time.monotonic() - self._begun

    def save(self) -> None:
        if self._keeps:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_text(self._path, json.dumps({"seconds": round(self.seconds, 1)}) + "\n")


def environment_of_child(environment: Mapping[str, str], jobs: int) -> dict[str, str]:
    """Return the environment of a step; side by side, each takes its part of the device's memory."""
    changed = dict(environment)
    if jobs > 1:
        changed.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", f"{0.9 / jobs:.2f}")
    changed.setdefault("PYTHONUNBUFFERED", "1")
    return changed


def process_launcher(python: str, jobs: int = 1) -> Launch:
    """Return what starts commands with this interpreter."""
    from hsmtss_jax.recipes.process import start

    environment = environment_of_child(os.environ, jobs)
    return lambda words, log: start([python, *words], log, environment)
