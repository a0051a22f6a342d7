"""One call of the separator: jobs in, blocks of finished sound out, however many and long the files are.

Memory holds the windows of one batch with their features, and some seconds of each open recording.

Legend: W samples of a window, C channels, n windows.
"""

import dataclasses
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Protocol

import numpy as np

from hsmtss_jax.audio.windows import Windows, plan_windows
from hsmtss_jax.inference.activity import ActivityMeter
from hsmtss_jax.inference.generator import WindowModel
from hsmtss_jax.inference.model_runner import ModelRunner
from hsmtss_jax.inference.options import Options
from hsmtss_jax.inference.presence import Calibration, presence_weights, shared_feature
from hsmtss_jax.inference.recording import Recording, working_gain
from hsmtss_jax.inference.rendering import Block, Generated, MaskRenderer, Scene, WaveRenderer
from hsmtss_jax.inference.requests import Cell, Prompt, Track
from hsmtss_jax.inference.result import SeparationReport, TargetAbsent

Progress = Callable[[int, int], None]  # windows done, windows in all
Outcome = SeparationReport | ValueError | OSError


class Sink(Protocol):
    """Where a separated sound goes, block by block: [l, C]."""

    def write(self, samples: np.ndarray) -> None: ...


Sinks = list[tuple[Sink | None, Sink | None]]  # of each prompt: target, residual


@dataclasses.dataclass(frozen=True)
class Job:
    """A recording (or what was wrong with it) and its prompts.

    outlet: given the numbers of the prompts to be separated, opens the places for their sounds; it is
    left with an exception when they will not be finished.
    """

    recording: Recording | ValueError | OSError
    prompts: Sequence[Prompt]
    outlet: Callable[[Sequence[int]], AbstractContextManager[Sinks]]


@dataclasses.dataclass(frozen=True)
class Segments:
    """How recordings are cut. window, overlap: samples at the system's rate."""

    window: int
    overlap: int


@dataclasses.dataclass
class _Work:
    """A track under way. numbers: which of the job's prompts it still has."""

    track: Track
    numbers: list[int]
    renderer: MaskRenderer | WaveRenderer
    sinks: Sinks
    meters: list[ActivityMeter]
    stack: ExitStack
    samples: int = 0
    peaks: list[float] = dataclasses.field(default_factory=list)


class Session:
    """Runs jobs. progress: called after every batch of windows."""

    def __init__(
        self,
        runner: ModelRunner,
        options: Options,
        segments: Segments,
        calibration: Calibration | None,
        progress: Progress | None = None,
    ) -> None:
        self._runner, self._options = runner, options
        self._segments, self._calibration = segments, calibration
        self._model = WindowModel(runner, options)
        self._progress = progress or (lambda done, total: None)
        self._work: dict[int, _Work] = {}
        self._outcomes: dict[int, dict[int, Outcome]] = {}

    def run(self, jobs: Sequence[Job]) -> Iterator[list[Outcome]]:
        """The outcomes of every job's prompts, in the order of the jobs, each as soon as it is there.

        An absent target is a TargetAbsent, what is wrong with a recording a ValueError or OSError.
        """
        lengths = [self._windows(job) for job in jobs]
        waiting, done = 0, 0
        with ExitStack() as everything:
            for cells in self._batches(jobs, everything):
                self._render(cells, self._model.generate(cells))
                done += len(cells)
                self._progress(done, sum(lengths))
                while self._complete(waiting, jobs):
                    yield list(self._pop(waiting))
                    waiting += 1
            while waiting < len(jobs):
                yield list(self._pop(waiting))
                waiting += 1

    def _complete(self, index: int, jobs: Sequence[Job]) -> bool:
        return index < len(jobs) and len(self._outcomes.get(index, ())) == len(jobs[index].prompts)

    def _pop(self, index: int) -> Iterator[Outcome]:
        outcomes = self._outcomes.pop(index)
        return (outcomes[number] for number in sorted(outcomes))

    def _windows(self, job: Job) -> int:
        return 0 if isinstance(job.recording, Exception) else self._plan(job.recording).count

    def _plan(self, recording: Recording) -> Windows:
        system, cut = self._runner.system, self._segments
        length = recording.length_at(system.sample_rate)
        return plan_windows(length, cut.window, cut.overlap, system.frame)

    def _batches(self, jobs: Sequence[Job], everything: ExitStack) -> Iterator[list[Cell]]:
        """Cells to be generated together; tracks are opened as their turn comes."""
        tracks = (
            track
            for index, job in enumerate(jobs)
            if (track := self._open(index, job, everything)) is not None
        )
        room = max(1, self._runner.batch // self._options.candidates)
        if self._options.decode == "batch":
            return _whole_batches(tracks, room)
        return _steps(tracks, room)

    def _open(self, index: int, job: Job, everything: ExitStack) -> Track | None:
        """A track that is ready to be generated; None when nothing of it remains to be done."""
        self._outcomes[index] = {}
        try:
            if isinstance(job.recording, Exception):
                raise job.recording
            with self._runner.timed("read"):
                gain = working_gain(job.recording, self._runner.system.sample_rate)
            plan, rate = self._plan(job.recording), self._runner.system.sample_rate
            track = Track(index, job.recording, plan, rate, gain, list(job.prompts))
            numbers = list(range(len(job.prompts)))
            if self._options.min_presence is not None or self._options.global_scope == "file":
                self._survey(track)
                numbers = self._present(track)
            if not numbers:
                self._model.forget(index)
                return None
            track.prompts = [job.prompts[number] for number in numbers]
            stack = everything.enter_context(ExitStack())
            sinks = stack.enter_context(job.outlet(numbers))
        except (ValueError, OSError) as error:
            self._outcomes[index] = dict.fromkeys(range(len(job.prompts)), error)
            return None
        self._work[index] = self._prepare(track, numbers, sinks, stack)
        return track

    def _prepare(self, track: Track, numbers: list[int], sinks: Sinks, stack: ExitStack) -> _Work:
        options, recording, count = self._options, track.recording, len(numbers)
        continued = options.decode == "sequence"
        scene = Scene(recording, track.plan, track.rate, track.gain, continued)
        renderer: MaskRenderer | WaveRenderer
        if options.mode == "generate":
            renderer = WaveRenderer(scene, count, options.residual)
        else:
            weight = None if options.mode == "mask" else options.blend
            renderer = MaskRenderer(scene, count, weight, options.residual)
        meters = [ActivityMeter(recording.sample_rate) for _ in numbers]
        return _Work(track, numbers, renderer, sinks, meters, stack, peaks=[0.0] * count)

    def _survey(self, track: Track) -> None:
        """Predicts all windows once, without generating: cosines, and the features to be shared."""
        found: list[dict[int, np.ndarray]] = []
        cells = _cells(track)
        room = max(1, self._runner.batch // len(track.lanes))
        while part := list(itertools.islice(cells, room)):
            found += self._model.survey(part)
        track.surveyed = True
        if self._options.global_scope == "file":
            for prompt in track.prompts:
                weights = presence_weights(track.cosines[prompt.probe])
                for lane in prompt.voices:
                    globals_ = np.stack([of_window[lane] for of_window in found])
                    track.shared[lane] = shared_feature(globals_, weights)

    def _present(self, track: Track) -> list[int]:
        """The numbers of the prompts whose target is there; the others' outcome is noted."""
        least = self._options.min_presence
        if least is None:
            return list(range(len(track.prompts)))
        present = []
        for number, prompt in enumerate(track.prompts):
            found = track.presence(prompt, self._calibration)
            if found.score >= least:
                present.append(number)
            else:
                absent = TargetAbsent(found, prompt.instruction, least)
                self._outcomes[track.index][number] = absent
        return present

    def _render(self, cells: Sequence[Cell], generated: Sequence[Sequence[Generated]]) -> None:
        for cell, sounds in zip(cells, generated, strict=True):
            work = self._work[cell.track.index]
            with self._runner.timed("render"):
                for blocks in work.renderer.push(cell.audio, sounds, cell.last):
                    self._write(work, blocks)
            if cell.last:  # its report holds the time of its rendering
                self._finish(work)

    def _write(self, work: _Work, blocks: Sequence[Block]) -> None:
        work.samples += len(blocks[0][0])
        for number, (block, sinks) in enumerate(zip(blocks, work.sinks, strict=True)):
            work.meters[number].push(block[0])
            for sound, sink in zip(block, sinks, strict=True):
                if sound is not None:
                    peak = float(np.abs(sound).max(initial=0.0))
                    work.peaks[number] = max(work.peaks[number], peak)
                    if sink is not None:
                        sink.write(sound)

    def _finish(self, work: _Work) -> None:
        """Closes the sinks of a track that is done, and notes the reports."""
        track = work.track
        del self._work[track.index]
        outcomes = self._outcomes[track.index]
        try:
            work.stack.close()
        except (ValueError, OSError) as error:
            outcomes |= dict.fromkeys(work.numbers, error)
            return
        timing = dict(self._runner.seconds) | {"total": time.perf_counter() - self._runner.started}
        for place, number in enumerate(work.numbers):
            outcomes[number] = SeparationReport(
                instruction=track.prompts[place].instruction,
                mode=self._options.mode,
                sample_rate=track.recording.sample_rate,
                samples=work.samples,
                windows=track.plan.count,
                presence=track.presence(track.prompts[place], self._calibration),
                activity=work.meters[place].finish(),
                peak=work.peaks[place],
                timing=timing,
            )


def _cells(track: Track) -> Iterator[Cell]:
    return (Cell(track, index, audio) for index, audio in enumerate(track.windows()))


def _whole_batches(tracks: Iterator[Track], room: int) -> Iterator[list[Cell]]:
    """Windows of any tracks in their order, as many as make ``room`` sounds (one at least)."""
    cells: list[Cell] = []
    sounds = 0
    for track in tracks:
        for cell in _cells(track):
            if cells and sounds + len(track.voices) > room:
                yield cells
                cells, sounds = [], 0
            cells.append(cell)
            sounds += len(track.voices)
    if cells:
        yield cells


def _steps(tracks: Iterator[Track], room: int) -> Iterator[list[Cell]]:
    """One window of each of several tracks, then the next window of each."""
    ahead = next(tracks, None)
    while ahead is not None:
        group, sounds = [ahead], len(ahead.voices)
        while (ahead := next(tracks, None)) is not None and sounds + len(ahead.voices) <= room:
            group.append(ahead)
            sounds += len(ahead.voices)
        for step in itertools.zip_longest(*map(_cells, group)):
            yield [cell for cell in step if cell is not None]
