"""The public API: recordings and sentences in, the separated sounds out.

How ``audio`` goes through ``Separator.separate``:

1. ``open_recording`` turns a path or an array into a ``Recording`` that is read block by block, and
   ``parse`` the sentence into an ``Instruction``, a task and a description.
2. ``Engine`` has the recording measured by ``hear``, opens a ``RecordingState`` for it, and cuts its mono
   sound at 16 kHz into ``Window`` s.
3. ``WindowGenerator`` encodes a batch of windows into S and G (``Runtime.encode_audio``) and predicts the
   target's S and G for every instruction (``Runtime.predict``, HSM-TSS eq. (2) and (3)).
4. It draws codec tokens from each predicted S (``Runtime.sample``, HSM-TSS eq. (4)) and decodes them into
   sound (``Runtime.decode_tokens``): ``Stems``, the target and the opposite, of each instruction.
5. ``MaskRenderer`` makes a mask on the recording itself of them, in its own rate and channels,
   ``WaveRenderer`` takes the generated sound as it is, both with crossfades between windows.
6. ``Remix`` limits each finished block to the instruction's spans and amount, ``RecordingState.write``
   measures it and hands it to the writers of a ``Sink``, arrays or files, and the last one brings the
   ``SeparationReport`` with presence, activity and timing.

Legend: L samples, C channels.
"""

import contextlib
import functools
import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import jax

from hsmtss_jax.audio.output import OutputOptions
from hsmtss_jax.audio.timecode import Time
from hsmtss_jax.audio.windows import plan_windows
from hsmtss_jax.inference.engine import Engine, Outcome
from hsmtss_jax.inference.options import (
    Failed,
    Mode,
    RuntimeOptions,
    SeparateOptions,
    SeparationReport,
    SeparationResult,
    TargetAbsent,
)
from hsmtss_jax.inference.outlets import ArraySink, FileSink, OutputFiles, PathLike
from hsmtss_jax.inference.pretrained import load_runtime
from hsmtss_jax.inference.recording import Audio, Recording, open_recording
from hsmtss_jax.inference.system import System
from hsmtss_jax.instructions import Instruction, parse
from hsmtss_jax.progress import Progress
from hsmtss_jax.sampling.policies import Policy
from hsmtss_jax.task import TASKS, Task

Report = TypeVar("Report", bound=SeparationReport)


class Separator:
    """Separate by text queries with a loaded pipeline bundle.

    >>> separator = Separator.from_pretrained()          # the demo bundle
    >>> result = separator.separate("street.wav", "remove the dog barking")

    Several threads may call it at once; forked processes may not (``dist.check_process``).
    """

    def __init__(
        self,
        runtime: System,
        *,
        overlap: float = RuntimeOptions.overlap,
        segment: float | None = RuntimeOptions.segment,
    ) -> None:
        """Set up windows on a loaded runtime.

        overlap: share of a window that it has in common with the one before (0 to 0.9). segment: length of
        a window [s], the model's own at most and by default. Raises ValueError for others.
        """
        RuntimeOptions(overlap=overlap, segment=segment)  # checks their ranges
        self._runtime = runtime
        unit = runtime.unit
        longest = runtime.window // unit
        columns = longest
        if segment is not None:  # cut, as what is too long to count is refused below, too
            columns = round(min(segment * runtime.sample_rate / unit, longest + 1.0))
        if not 1 <= columns <= longest:
            limit = longest * unit / runtime.sample_rate
            raise ValueError(
                f"the segment must lie between {unit / runtime.sample_rate:.2g} and {limit} s, got {segment}"
            )
        hop = max(1, columns - round(overlap * columns))
        self._window = columns * unit
        self._plan = functools.partial(
            plan_windows, window=self._window, overlap=(columns - hop) * unit, unit=unit
        )

    @classmethod
    def from_pretrained(
        cls,
        source: PathLike | None = None,
        *,
        dtype: str = RuntimeOptions.dtype,
        device: str | None = RuntimeOptions.device,
        batch: int = RuntimeOptions.batch,
        overlap: float = RuntimeOptions.overlap,
        segment: float | None = RuntimeOptions.segment,
    ) -> "Separator":
        """Load a pipeline bundle. Raises ValueError or OSError.

        Args:
          source: a folder, a hub id ("owner/name"), or None for the demo bundle of this package.
          dtype: auto (float32 on a CPU, else bfloat16) | float32 | bfloat16.
          device: "cpu", "gpu", "tpu", or "gpu:1".
          batch: sounds that are generated at once; memory grows with it.
          overlap, segment: as in ``Separator``.
        """
        runtime = load_runtime(source, dtype, device, batch)
        return cls(runtime, overlap=overlap, segment=segment)

    @property
    def system(self) -> System:
        """Return the loaded bundle on its device."""
        return self._runtime

    @property
    def sample_rate(self) -> int:
        """Return the rate at which the networks work [Hz]; inputs and outputs may have any."""
        return self._runtime.sample_rate

    @property
    def device(self) -> jax.Device:
        """Return the device that computes."""
        return self._runtime.device

    @property
    def dtype(self) -> Any:
        """Return the type that the networks compute in."""
        return self._runtime.dtype

    @property
    def batch(self) -> int:
        """Return the number of sounds that are generated at once."""
        return self._runtime.batch

    @property
    def window(self) -> int:
        """Return the length of a window [samples] at ``sample_rate``."""
        return self._window

    @property
    def architecture(self) -> str:
        """Return the kind of system that the bundle holds: "hsm_tss" or "mask_separator"."""
        kind: str = self._runtime.pipeline.architecture
        return kind

    @property
    def modes(self) -> tuple[Mode, ...]:
        """Return the modes that the system knows, its own first."""
        return self._runtime.modes

    @property
    def sampling(self) -> Policy | None:
        """Return the bundle's own sampling policy; None where nothing is drawn."""
        policy: Policy | None = self._runtime.pipeline.sampling
        return policy

    @property
    def path(self) -> os.PathLike[str]:
        """Return the bundle's folder."""
        return self._runtime.pipeline.path

    @property
    def name(self) -> str:
        """Return the bundle's name, that of its folder."""
        return os.path.basename(self.path)

    def separate(
        self,
        audio: Audio,
        instruction: str | Instruction | None = None,
        *,
        task: str | None = None,
        description: str | None = None,
        sample_rate: int | None = None,
        start: Time = 0.0,
        end: Time | None = None,
        options: SeparateOptions | None = None,
        progress: Progress | None = None,
        mode: Mode | None = None,
        seed: int | None = None,
        residual: bool | None = None,
        best_of: int | None = None,
        min_presence: float | None = None,
        span: str | Sequence[str] | None = None,
        amount: str | None = None,
    ) -> SeparationResult:
        """Separate one recording by one instruction.

        Args:
          audio: a path, or float samples [L] or [L, C] with their ``sample_rate``.
          instruction: a sentence, an Instruction, or None with ``task`` ("extract", "remove") and
            ``description`` given.
          task, description: the instruction in two parts.
          sample_rate: of ``audio`` if it is an array [Hz].
          start, end: the part of the recording to work on: seconds, or a text such as "1:02:03.5".
          options: see ``SeparateOptions``.
          progress: called with (windows done, windows in all).
          mode, seed, residual, best_of, min_presence, span, amount: shortcuts for ``options``, over which
            they win.

        Raises ValueError (AudioError, TargetAbsent) for options out of range, an empty instruction, a
        recording that cannot be read, is silent, shorter than 50 ms, or holds NaN.
        """
        shortcuts = {
            "mode": mode,
            "seed": seed,
            "residual": residual,
            "best_of": best_of,
            "min_presence": min_presence,
            "span": span,
            "amount": amount,
        }
        chosen = (options or SeparateOptions()).replace(**shortcuts)
        instruction = _instruction(instruction, task, description)
        recording = open_recording(audio, sample_rate, start, end)
        return _raised(next(self._collect([recording], [instruction], chosen, progress))[0])

    def separate_many(
        self,
        inputs: Sequence[Audio],
        instructions: Sequence[str | Instruction],
        *,
        sample_rate: int | None = None,
        options: SeparateOptions | None = None,
        errors: Literal["raise", "return"] = "raise",
        progress: Progress | None = None,
    ) -> Iterator[list[SeparationResult | Failed]]:
        """Separate every recording by every instruction: yields the results of each recording, in order.

        Features of a recording are computed once for all instructions, and windows of several
        instructions and recordings are generated as one batch.

        Args:
          inputs: as ``audio`` of ``separate``.
          instructions: as ``instruction`` of ``separate``.
          sample_rate: of inputs that are arrays [Hz].
          options: see ``SeparateOptions``.
          errors: "raise" the first, or "return" a ``Failed`` in the place of what has no result.
          progress: as in ``separate``.
        """
        if errors not in ("raise", "return"):
            raise ValueError(f"unknown errors {errors!r}: choose raise or return")
        wanted = [_instruction(instruction) for instruction in instructions]
        if not wanted:
            raise ValueError("give at least one instruction")
        recordings = [_opened(audio, sample_rate) for audio in inputs]
        results = self._collect(recordings, wanted, options or SeparateOptions(), progress)
        if errors == "return":
            return results
        return ([_raised(result) for result in each] for each in results)

    def separate_file(
        self,
        path_in: PathLike,
        path_out: PathLike,
        instruction: str | Instruction,
        *,
        residual_path: PathLike | None = None,
        output: OutputOptions | None = None,
        start: Time = 0.0,
        end: Time | None = None,
        options: SeparateOptions | None = None,
        progress: Progress | None = None,
        state_path: PathLike | None = None,
    ) -> SeparationReport:
        """Separate a file of any length into a file, without ever holding either in memory.

        Args:
          path_in, path_out: the output appears under its name when it is complete.
          instruction: as in ``separate``.
          residual_path: a file for the rest of the recording, made only if it is given.
          output: format, bit depth and the like; by default the name's format and the input's depth.
          start, end, options, progress: as in ``separate``.
          state_path: a file that keeps what is done, until all is: an interrupted separation goes on
            where its last one stopped. One that is of something else is named in a warning.

        Raises as ``separate`` does.
        """
        reports = self.separate_files(
            {path_in: [OutputFiles(instruction, path_out, residual_path)]},
            output=output,
            start=start,
            end=end,
            options=options,
            progress=progress,
            states=None if state_path is None else {path_in: state_path},
        )
        (report,) = (each for of_file in reports for each in of_file)
        return _raised(report)

    def separate_files(
        self,
        jobs: Mapping[PathLike, Sequence[OutputFiles]],
        *,
        output: OutputOptions | None = None,
        start: Time = 0.0,
        end: Time | None = None,
        options: SeparateOptions | None = None,
        progress: Progress | None = None,
        states: Mapping[PathLike, PathLike] | None = None,
    ) -> Generator[list[Outcome], None, None]:
        """Separate many files by many prompts: yields the reports of each file, in order.

        A ``Failed`` stands in a report's place for what went wrong with a file or a prompt; its outputs
        are then not written, the others are. Arguments are those of ``separate_file``; states: its
        ``state_path`` by file.
        """
        asked = any(output.residual for outputs in jobs.values() for output in outputs)
        chosen = (options or SeparateOptions()).replace(residual=asked)
        wanted = [[_instruction(each.instruction) for each in of] for of in jobs.values()]
        recordings = [_opened(path, None, start, end) for path in jobs]
        sinks = [FileSink(outputs, chosen, output) for outputs in jobs.values()]
        for path, recording, sink in zip(jobs, recordings, sinks, strict=True):
            sink.check(path, None if isinstance(recording, Failed) else recording.length)
        engine = Engine(self._runtime, chosen, wanted, self._plan, progress)
        states = states or {}
        kept = {place: Path(states[path]) for place, path in enumerate(jobs) if path in states}
        return _told(sinks, engine.run(recordings, sinks, kept), kept)

    def _collect(
        self,
        recordings: Sequence[Recording | Failed],
        instructions: Sequence[Instruction],
        options: SeparateOptions,
        progress: Progress | None,
    ) -> Iterator[list[SeparationResult | Failed]]:
        """Yield the results of every recording, in memory."""
        if not recordings:
            return
        sinks = [ArraySink(options) for _ in recordings]
        wanted = [instructions] * len(recordings)
        engine = Engine(self._runtime, options, wanted, self._plan, progress)
        runs = engine.run(recordings, sinks)
        for sink, outcomes in zip(sinks, runs, strict=True):
            yield [sink.result(number, outcome) for number, outcome in enumerate(outcomes)]


def _instruction(
    instruction: str | Instruction | None, task: str | None = None, description: str | None = None
) -> Instruction:
    """Return the instruction that was given in either way."""
    if instruction is not None:
        if task is not None or description is not None:
            raise ValueError("give an instruction, or a task and a description, not both")
        return parse(instruction) if isinstance(instruction, str) else instruction
    words = (description or "").strip()
    if task not in TASKS or not words:
        raise ValueError("give an instruction, or a task (extract or remove) and a description")
    return Instruction(Task(task), words)


def _opened(
    audio: Audio, sample_rate: int | None, start: Time = 0.0, end: Time | None = None
) -> Recording | Failed:
    """Open a recording, or return what was wrong."""
    try:
        return open_recording(audio, sample_rate, start, end)
    except (ValueError, OSError) as error:
        return Failed(error)


def _told(
    sinks: Sequence[FileSink],
    outcomes: Generator[list[Outcome], None, None],
    states: Mapping[int, Path],
) -> Generator[list[Outcome], None, None]:
    """Yield the outcomes of each recording with what its sink knows; states of complete ones are deleted."""
    with contextlib.closing(outcomes):
        for place, (sink, found) in enumerate(zip(sinks, outcomes, strict=True)):
            lost = [each for each in found if isinstance(each, Failed)]
            if place in states and all(isinstance(each.error, TargetAbsent) for each in lost):
                states[place].unlink(missing_ok=True)
            yield sink.told(found)


def _raised(result: Report | Failed) -> Report:
    """Return a result, or raise its error."""
    if isinstance(result, Failed):
        raise result.error
    return result
