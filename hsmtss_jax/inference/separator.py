"""The public API: recordings and sentences in, the sounds that were asked for out.

Legend: L samples, C channels.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hsmtss_jax.audio.masking import HOP
from hsmtss_jax.inference.engine import Job, Outcome, Progress, Segments, Session
from hsmtss_jax.inference.model_runner import ModelRunner
from hsmtss_jax.inference.options import DECODES, MODES, REFERENCES, SCOPES, Options
from hsmtss_jax.inference.outlets import ArrayOutlet, FileOutlet, Output, PathLike
from hsmtss_jax.inference.pretrained import load_system
from hsmtss_jax.inference.recording import Audio, Recording, open_recording
from hsmtss_jax.inference.requests import Lanes
from hsmtss_jax.inference.result import SeparationReport, SeparationResult
from hsmtss_jax.inference.runtime import System
from hsmtss_jax.instructions import Instruction, parse
from hsmtss_jax.models.acoustic_decoder.sampler import MAX_BATCH
from hsmtss_jax.sampling.policies import Policy
from hsmtss_jax.task import TASKS, Task

BATCH = MAX_BATCH  # sounds that are generated at once
Result = SeparationResult | ValueError | OSError


class Separator:
    """Text-queried separation with a loaded pipeline bundle.

    >>> separator = Separator.from_pretrained()          # the demo bundle
    >>> result = separator.separate("street.wav", "remove the dog barking")
    """

    def __init__(
        self,
        system: System,
        overlap: float = 0.25,
        *,
        segment: float | None = None,
        batch: int | None = None,
    ) -> None:
        """overlap: share of a window that it has in common with the one before (0 to 0.9).

        segment: seconds of a window, the model's own length at most and by default. batch: sounds that
        are generated at once; memory grows with it.
        """
        if not 0 <= overlap <= 0.9:
            raise ValueError(f"the overlap must lie between 0 and 0.9, got {overlap}")
        if batch is not None and batch < 1:
            raise ValueError(f"the batch must be at least 1, got {batch}")
        self.system = system
        self.batch = batch or BATCH
        unit = math.lcm(8 * system.frame, HOP)  # columns of patches, and frames of the mask
        longest = system.window // unit
        columns = longest if segment is None else round(segment * system.sample_rate / unit)
        if not 1 <= columns <= longest:
            limit = longest * unit / system.sample_rate
            raise ValueError(f"the segment must lie between 0.2 and {limit} s, got {segment}")
        hop = max(1, columns - round(overlap * columns))
        self._segments = Segments(columns * unit, (columns - hop) * unit)

    @classmethod
    def from_pretrained(
        cls,
        source: PathLike | None = None,
        *,
        dtype: str = "auto",
        device: str | None = None,
        overlap: float = 0.25,
        segment: float | None = None,
        batch: int | None = None,
    ) -> "Separator":
        """Load a pipeline bundle: a folder, a hub id ("owner/name"), or the demo bundle of this package.

        dtype: auto (float32 on a CPU, else bfloat16) | float32 | bfloat16. device: "cpu", "gpu", "tpu",
        or "gpu:1". The rest is as in ``Separator``. Raises ValueError or OSError.
        """
        system = load_system(source, dtype, device)
        return cls(system, overlap, segment=segment, batch=batch)

    def separate(
        self,
        audio: Audio,
        instruction: str | Instruction | None = None,
        *,
        task: str | None = None,
        description: str | None = None,
        sample_rate: int | None = None,
        start: float = 0.0,
        end: float | None = None,
        mode: str = MODES[0],
        reference: str = REFERENCES[0],
        decode: str = DECODES[0],
        seed: int = 0,
        policy: Policy | None = None,
        candidates: int = 1,
        min_presence: float | None = None,
        global_scope: str = SCOPES[0],
        blend: float = 0.5,
        residual: bool = True,
        progress: Progress | None = None,
    ) -> SeparationResult:
        """Separate one recording by one instruction.

        Args:
          audio: a path, or float samples [L] or [L, C] with their ``sample_rate``.
          instruction: a sentence, an Instruction, or None with ``task`` ("extract", "remove") and
            ``description`` given.
          start, end: seconds; the part of the recording to work on.
          mode: mask attenuates the recording to what the generated sounds say of it; generate gives the
            sound itself, as in the paper; blend lies between them, ``blend`` of the way from mask (0) to the
            generated sound's magnitudes with the recording's phases (1). See ``rendering``.
          reference: both makes the mask from the target's sound and from the opposite task's, which is
            generated as well; target from the former alone, in half the time.
          decode: batch draws all windows at once; sequence lets each continue the tokens of the one
            before, which is slower.
          seed: of the token sampling. policy: its temperature and the like [the bundle's].
          candidates: every window is drawn so many times, and what Q-Audio finds nearest to the
            description (to remove: to the predicted global feature) is kept.
          min_presence: raise TargetAbsent when the presence score is below it.
          global_scope: file gives all windows one global feature, so that the target is the same sound
            from end to end; window lets each have its own.
          residual: make the rest of the recording as well (in mode generate it costs as much again).
          progress: called with (windows done, windows in all).

        Raises ValueError (AudioError, TargetAbsent) for options out of range, an empty instruction, a
        recording that cannot be read, is silent, shorter than 50 ms, or holds NaN.
        """
        chosen = Options(
            mode=mode,
            reference=reference,
            decode=decode,
            seed=seed,
            policy=policy,
            candidates=candidates,
            min_presence=min_presence,
            global_scope=global_scope,
            blend=blend,
            residual=residual,
        )
        request = _request(instruction, task, description)
        recording = open_recording(audio, sample_rate, start, end)
        found = next(self._collect([recording], [request], chosen, progress))[0]
        if isinstance(found, Exception):
            raise found
        return found

    def separate_many(
        self,
        inputs: Sequence[Audio],
        instructions: Sequence[str | Instruction],
        *,
        sample_rate: int | None = None,
        errors: str = "raise",
        progress: Progress | None = None,
        **options: Any,
    ) -> Iterator[list[Result]]:
        """Every recording by every instruction: yields the results of each recording, in order.

        Features of a recording are computed once for all instructions, and windows of several
        instructions and recordings are decoded as one batch. options: those of ``separate`` from
        ``mode`` to ``residual``. sample_rate: of inputs that are arrays. errors: "raise" the first, or
        "return" what went wrong with a recording or an instruction (TargetAbsent) in its result's place.
        """
        if errors not in ("raise", "return"):
            raise ValueError(f"unknown errors {errors!r}: choose raise or return")
        chosen = Options(**options)
        requests = [_request(instruction) for instruction in instructions]
        if not requests:
            raise ValueError("give at least one instruction")
        recordings = [_opened(audio, sample_rate) for audio in inputs]
        return _raised(self._collect(recordings, requests, chosen, progress), errors)

    def separate_file(
        self,
        path_in: PathLike,
        path_out: PathLike,
        instruction: str | Instruction,
        *,
        residual_path: PathLike | None = None,
        subtype: str = "PCM_16",
        progress: Progress | None = None,
        start: float = 0.0,
        end: float | None = None,
        **options: Any,
    ) -> SeparationReport:
        """From a file to a file of any length, without ever holding either in memory.

        The output appears under its name when it is complete. residual_path: a file for the rest of
        the recording. subtype: of the samples ("PCM_16", "PCM_24", "FLOAT"). options: as in
        ``separate_many``. Raises as ``separate`` does.
        """
        output = Output(instruction, path_out, residual_path)
        reports = self.separate_files(
            {path_in: [output]}, subtype=subtype, progress=progress, start=start, end=end, **options
        )
        found = next(reports)[0]
        if isinstance(found, Exception):
            raise found
        return found

    def separate_files(
        self,
        jobs: Mapping[PathLike, Sequence[Output]],
        *,
        subtype: str = "PCM_16",
        progress: Progress | None = None,
        start: float = 0.0,
        end: float | None = None,
        **options: Any,
    ) -> Iterator[list[Outcome]]:
        """``separate_file`` for many files and prompts at once: yields the reports of each file, in order.

        What went wrong with a file or a prompt (ValueError, OSError, TargetAbsent) stands in its
        report's place; its outputs are then not written, the others are.
        """
        asked = any(output.residual for outputs in jobs.values() for output in outputs)
        chosen = Options(**{"residual": asked, **options})
        requests = [
            [_request(output.instruction) for output in outputs] for outputs in jobs.values()
        ]
        book = Lanes(chosen.opposites)
        work = []
        for (path, outputs), wanted in zip(jobs.items(), requests, strict=True):
            recording = _opened(path, None, start, end)
            prompts = [book.prompt(request) for request in wanted]
            place = FileOutlet(recording, outputs, chosen, subtype)
            place.check(path)
            work.append(Job(recording, prompts, place.open))
        return self._session(book, chosen, progress).run(work)

    def _collect(
        self,
        recordings: Sequence[Recording | ValueError | OSError],
        requests: Sequence[Instruction],
        options: Options,
        progress: Progress | None,
    ) -> Iterator[list[Result]]:
        """Results in memory of every recording."""
        book = Lanes(options.opposites)
        prompts = [book.prompt(request) for request in requests]
        places = [ArrayOutlet(recording, options) for recording in recordings]
        jobs = [
            Job(recording, prompts, place.open)
            for recording, place in zip(recordings, places, strict=True)
        ]
        session = self._session(book, options, progress)
        for place, outcomes in zip(places, session.run(jobs), strict=True):
            yield [place.result(number, outcome) for number, outcome in enumerate(outcomes)]

    def _session(self, book: Lanes, options: Options, progress: Progress | None) -> Session:
        runner = ModelRunner(self.system, book.instructions, self.batch)
        calibration = self.system.pipeline.presence
        return Session(runner, options, self._segments, calibration, progress)


def _request(
    instruction: str | Instruction | None, task: str | None = None, description: str | None = None
) -> Instruction:
    """The instruction that was given in either way."""
    if instruction is not None:
        if task is not None or description is not None:
            raise ValueError("give an instruction, or a task and a description, not both")
        return parse(instruction) if isinstance(instruction, str) else instruction
    words = (description or "").strip()
    if task not in TASKS or not words:
        raise ValueError("give an instruction, or a task (extract or remove) and a description")
    return Instruction(Task(task), words)


def _opened(
    audio: Audio, sample_rate: int | None, start: float = 0.0, end: float | None = None
) -> Recording | ValueError | OSError:
    """``open_recording``, or what was wrong."""
    try:
        return open_recording(audio, sample_rate, start, end)
    except (ValueError, OSError) as error:
        return error


def _raised(results: Iterator[list[Result]], errors: str) -> Iterator[list[Result]]:
    """The same results; the first error among them is raised if ``errors`` says so."""
    for of_recording in results:
        for result in of_recording:
            if errors == "raise" and isinstance(result, Exception):
                raise result
        yield of_recording
