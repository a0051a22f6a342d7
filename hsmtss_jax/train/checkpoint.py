"""Training checkpoints: state, data position and config, written by orbax. The only file that imports it.

A checkpoint is taken before the next batch is drawn, so state and data position belong together and a
resumed run repeats the straight one bit for bit. Each holds a digest of its files, is verified before it is
read, and is a folder named by its step; what was found damaged is renamed, never deleted.
"""

import contextlib
import json
import logging
import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import grain
import grain.checkpoint
import jax
import orbax.checkpoint as ocp

from hsmtss_jax import dist
from hsmtss_jax.train.digest import DIGEST, DamagedError, read_digest, verify, write_digest
from hsmtss_jax.train.state import TrainState

_HANDLERS = {
    "state": ocp.StandardCheckpointHandler,
    "data": grain.checkpoint.CheckpointHandler,
    "config": ocp.JsonCheckpointHandler,
}
_LEFT_BEHIND = ("*.orbax-checkpoint-tmp*", "*.deleted")  # of a process that was killed
_MOST_FAILURES = 2  # saves in a row, before a run stops
_LONGEST = 200  # characters of another's message


class CheckpointWarning(UserWarning):
    """Warn of a checkpoint that cannot be used, verified or saved."""


class OtherRunError(ValueError):
    """Report a checkpoint of another run."""


class Resumed(NamedTuple):
    """Hold a restored state, its step and the config that was saved with it."""

    step: int
    state: TrainState
    config: dict[str, Any]


class Checkpointer:
    """Keep a run's checkpoints: the last ``keep``, and beside them the best by validation metric.

    timeout: how long processes wait for one another when they save [s].
    """

    def __init__(self, workdir: str | Path, keep: int = 3, timeout: int = 600) -> None:
        self.folder = Path(workdir).absolute() / "checkpoints"
        self.keep = max(keep, 1)
        _mute_orbax()
        handlers = {name: handler() for name, handler in _HANDLERS.items()}
        options = ocp.options.AsyncOptions(
            timeout_secs=timeout, post_finalization_callback=self._write_digest
        )
        self._orbax = ocp.AsyncCheckpointer(
            ocp.CompositeCheckpointHandler(**handlers), async_options=options
        )
        self._saving: tuple[int, float | None] | None = None
        self._failures = 0

    def steps(self) -> list[int]:
        """Return every step that has a checkpoint, whole or not, ascending."""
        if not self.folder.is_dir():
            return []
        return sorted(int(path.name) for path in self.folder.iterdir() if path.name.isdecimal())

    def latest(self) -> int | None:
        """Return the last step whose checkpoint is whole, or None; those passed over are warned of."""
        for step in reversed(self.steps()):
            with self._passing_over(step):
                self.verify(step)
                return step
        return None

    def best(self) -> int | None:
        """Return the step with the smallest validation metric, or None when none was measured."""
        measured = {
            step: value for step in self.steps() if (value := self.metric(step)) is not None
        }
        return min(measured, key=lambda step: (measured[step], step)) if measured else None

    def metric(self, step: int) -> float | None:
        """Return the validation metric saved with a step, None where there is no finite one."""
        folder = self.folder / str(step)
        with contextlib.suppress(DamagedError, OSError, ValueError, TypeError, KeyError):
            value = (
                read_digest(folder)["metric"]
                if (folder / DIGEST).exists()
                else _older_metric(folder / "metrics" / "metrics")
            )
            return float(value) if value is not None and _finite(value) else None
        return None

    def save(
        self,
        step: int,
        state: TrainState,
        data: grain.DatasetIterator,
        config: Mapping[str, Any],
        metric: float | None = None,
    ) -> None:
        """Start saving (arrays are copied before this returns); a step already saved is left alone.

        A save that fails is warned of, and the next one tried; two in a row are an error.

        Args:
          step: updates done.
          state: the training state.
          data: the iterator, before the next batch is drawn.
          config: the experiment and the upstream's digests, in plain JSON.
          metric: the validation metric that tells the best checkpoint, where it was measured.

        Raises:
          OSError: this was the second save in a row that failed.
        """
        self._settle()
        if step in self.steps():
            return
        args = ocp.args.Composite(
            state=ocp.args.StandardSave(state),
            data=grain.checkpoint.CheckpointSave(data),
            config=ocp.args.JsonSave(dict(config)),
        )
        self._saving = (step, metric if metric is not None and _finite(metric) else None)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._orbax.save(self.folder / str(step), args=args)
        except (OSError, ValueError, RuntimeError) as error:
            self._failed(error)

    def config(self, step: int) -> dict[str, Any]:
        """Read the config saved with a step."""
        args = ocp.args.Composite(config=ocp.args.JsonRestore())
        return self._orbax.restore(self.folder / str(step), args=args)["config"]

    def verify(self, step: int) -> bool:
        """Check a checkpoint against its digest; False where it has none.

        Raises:
          DamagedError: it is not what was saved.
        """
        return verify(self.folder / str(step), step)

    def restore(
        self, step: int, abstract: TrainState, data: grain.DatasetIterator | None = None
    ) -> TrainState:
        """Restore the state at ``step``, placed as ``abstract`` (with shardings) says; move ``data`` there.

        Raises:
          ValueError: the state on disk has another structure.
        """
        folder = self.folder / str(step)
        args = ocp.args.Composite(state=ocp.args.StandardRestore(abstract))
        try:
            restored = self._orbax.restore(folder, args=args)
            if data is not None:
                data.set_state(_position(folder / "data"))
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise ValueError(f"checkpoint {folder} does not fit: {_first_line(error)}") from error
        return restored["state"]

    def resume(
        self,
        abstract: TrainState,
        data: grain.DatasetIterator,
        check: Callable[[Mapping[str, Any]], None],
        before: int | None = None,
    ) -> Resumed | None:
        """Restore the newest checkpoint that is whole and of this run; None where there is none at all.

        Newer ones that are not are warned of and renamed.

        Args:
          abstract: as ``restore`` takes it.
          data: the iterator that is moved there.
          check: raises ValueError for the config of another run.
          before: a step; later checkpoints are left alone.

        Raises:
          ValueError: there are checkpoints, but none that can be used.
        """
        dist.from_main(0)  # which may be deleting older ones
        problems: list[tuple[int, ValueError]] = []
        steps = [step for step in self.steps() if before is None or step <= before]
        for step in reversed(steps):
            try:
                resumed = self._open(step, abstract, data, check)
            except (DamagedError, OtherRunError) as error:
                problems.append((step, error))
                continue
            for number, problem in problems:
                self.set_aside(number, problem)
            return resumed
        if not problems:
            return None
        raise self._nothing_left(problems)

    def set_aside(self, step: int, reason: ValueError) -> None:
        """Rename a checkpoint that is not to be used, and warn of it."""
        suffix = "other-run" if isinstance(reason, OtherRunError) else "damaged"
        aside = self.folder / f"{step}.{suffix}"
        self._warn(f"checkpoint {step} is passed over: {reason}; it is {aside} now")
        if dist.is_main():
            shutil.rmtree(aside, ignore_errors=True)
            os.rename(self.folder / str(step), aside)
        dist.from_main(0)  # nobody goes on before

    def prune(self, confirmed: int) -> None:
        """Delete all but the last ``keep`` steps up to ``confirmed``, the best one, and later ones.

        confirmed: the last step after which training was seen to go on well. Nothing is deleted where its
        checkpoint is not whole.
        """
        if not dist.is_main():
            return
        steps = self.steps()
        sure = [step for step in steps if step <= confirmed]
        stay = {*sure[-self.keep :], *steps[len(sure) :], self.best()}
        if stay.issuperset(steps):
            return
        with self._passing_over(sure[-1]):
            self.verify(sure[-1])
            for step in set(steps) - stay:
                gone = self.folder / f"{step}.deleted"  # half a deleted one must not look like one
                os.rename(self.folder / str(step), gone)
                shutil.rmtree(gone, ignore_errors=True)

    def clean(self) -> None:
        """Delete what a process that was killed left half-written; the owner of the run may call it."""
        if dist.is_main():
            for pattern in _LEFT_BEHIND:
                for path in self.folder.glob(pattern):
                    shutil.rmtree(path, ignore_errors=True)

    def wait(self) -> None:
        """Wait until what was saved is on disk.

        Raises:
          OSError: it could not be saved.
        """
        failures = self._failures
        self._settle()
        if self._failures > failures:
            raise OSError(f"the last checkpoint could not be saved in {self.folder}")

    def close(self) -> None:
        """Finish saving and let go of the folder."""
        self._settle()
        self._orbax.close()

    def _open(
        self,
        step: int,
        abstract: TrainState,
        data: grain.DatasetIterator,
        check: Callable[[Mapping[str, Any]], None],
    ) -> Resumed:
        """Verify and restore one checkpoint.

        Raises DamagedError, OtherRunError, and ValueError where whole ones do not fit.
        """
        verified = self._verify_together(step)
        try:
            config = self.config(step)
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise DamagedError(f"its config cannot be read ({_first_line(error)})") from error
        try:
            check(config)
        except (ValueError, KeyError, TypeError) as error:
            raise OtherRunError(str(error)) from error
        try:
            state = self.restore(step, abstract, data)
        except ValueError as error:
            if verified:
                raise
            raise DamagedError(_first_line(error)) from error
        if not verified:
            self._warn(
                f"checkpoint {step} has no {DIGEST}: whether its bytes are intact is not known"
            )
        return Resumed(step, state, config)

    def _verify_together(self, step: int) -> bool:
        """Verify on the main process for all of them."""
        found: bool | DamagedError = False
        if dist.is_main():
            try:
                found = self.verify(step)
            except DamagedError as error:
                found = error
        code = dist.from_main(2 if isinstance(found, DamagedError) else int(found))
        if code == 2:
            raise found if isinstance(found, DamagedError) else DamagedError("it is damaged")
        return bool(code)

    def _nothing_left(self, problems: list[tuple[int, ValueError]]) -> ValueError:
        for _, problem in problems:
            if isinstance(problem, OtherRunError):
                return problem
        step, problem = problems[0]
        return DamagedError(
            f"no checkpoint in {self.folder} can be used ({step}: {problem}): put a copy back, or choose "
            "another --workdir"
        )

    @contextlib.contextmanager
    def _passing_over(self, step: int) -> Iterator[None]:
        try:
            yield
        except DamagedError as error:
            self._warn(f"checkpoint {step} in {self.folder} is passed over: {error}")

    def _write_digest(self) -> None:
        """Write the digest into the checkpoint that orbax is about to commit, on the main process."""
        assert self._saving is not None
        step, metric = self._saving
        working = sorted(self.folder.glob(f"{step}.orbax-checkpoint-tmp*"))
        write_digest(working[0] if working else self.folder / str(step), step, metric)

    def _settle(self) -> None:
        """Wait for the save in the background."""
        try:
            self._orbax.wait_until_finished()
        except Exception as error:
            self._failed(error)
        else:
            self._failures = 0 if self._saving else self._failures
        self._saving = None

    def _failed(self, error: Exception) -> None:
        assert self._saving is not None
        self._failures += 1
        text = f"checkpoint {self._saving[0]} could not be saved in {self.folder}: {_first_line(error)}"
        self._saving = None
        self.clean()
        if self._failures >= _MOST_FAILURES:
            raise OSError(text) from error
        self._warn(f"{text}; the next one is tried")

    def _warn(self, text: str) -> None:
        if dist.is_main():
            warnings.warn(text, CheckpointWarning, stacklevel=3)


def abstract_state(shapes: TrainState, shardings: Any) -> TrainState:
    """Join shapes and shardings into one tree, the target of ``restore``."""
    return jax.tree.map(
        lambda leaf, sharding: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding),
        shapes,
        shardings,
    )


def _position(folder: Path) -> dict[str, Any]:
    """Read the position in the data: this process's, or another one's where their number has changed."""
    own = folder / f"process_{jax.process_index()}-of-{jax.process_count()}.json"
    found = own if own.exists() else min(folder.glob("process_*.json"), default=own)
    return json.loads(found.read_bytes())


def _older_metric(path: Path) -> float | None:
    """Return the metric of a checkpoint that has no digest."""
    return json.loads(path.read_bytes())["best"]


def _finite(value: float) -> bool:
    return value == value and abs(value) != float("inf")


def _first_line(error: BaseException) -> str:
    text = (str(error).strip() or type(error).__name__).split("\n")[0]
    return text[:_LONGEST]


def _mute_orbax() -> None:
    """Keep orbax's tracebacks of failed saves off the error stream: they are raised again."""
    logger = logging.getLogger("absl")
    if _not_of_orbax not in logger.filters:
        logger.addFilter(_not_of_orbax)


def _not_of_orbax(record: logging.LogRecord) -> bool:
    return "orbax" not in record.pathname
