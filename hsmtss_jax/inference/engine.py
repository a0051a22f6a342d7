"""One call of the separator: recordings in, blocks of finished sound out, however many and long they are.

Memory holds the windows of one batch with their features, and some seconds of each open recording.

Legend: W samples of a window, l of a block, C channels.
"""

import dataclasses
import itertools
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from hsmtss_jax.audio.masking import BLOCK
from hsmtss_jax.audio.windows import WindowPlan
from hsmtss_jax.inference.generator import CACHE_BYTES
from hsmtss_jax.inference.hearing import hear
from hsmtss_jax.inference.options import Failed, SeparateOptions, SeparationReport, TargetAbsent
from hsmtss_jax.inference.outer_silence import OuterSilence
from hsmtss_jax.inference.outlets import Sink
from hsmtss_jax.inference.presence import presence_weights, shared_feature
from hsmtss_jax.inference.recording import Recording
from hsmtss_jax.inference.remix import Remix
from hsmtss_jax.inference.requests import RecordingState, Window
from hsmtss_jax.inference.resume import open_journal
from hsmtss_jax.inference.stopwatch import Stopwatch
from hsmtss_jax.inference.system import System
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.progress import Progress

Outcome = SeparationReport | Failed


class Engine:
    """Separate recordings by instructions; serves one call."""

    def __init__(
        self,
        runtime: System,
        options: SeparateOptions,
        wanted: Sequence[Sequence[Instruction]],
        plan: Callable[[int], WindowPlan],
        progress: Progress | None = None,
        *,
        cache_bytes: int = CACHE_BYTES,
        block: float = BLOCK,
    ) -> None:
        """Prepare a call.

        Args:
          runtime: the loaded system.
          options: how to separate.
          wanted: the instructions of each recording.
          plan: cuts a recording of so many samples, at the runtime's rate, into windows.
          progress: called after every batch of windows.
          cache_bytes: features kept where windows are predicted twice.
          block: seconds that are masked at a time.
        """
        self._runtime, self._options, self._plan = runtime, options, plan
        self._progress = progress or (lambda done, total: None)
        self._block = block
        self._stopwatch = Stopwatch()
        self._wanted = [[options.limited(each) for each in instructions] for instructions in wanted]
        self._generator = runtime.begin(
            options,
            [each for instructions in self._wanted for each in instructions],
            self._stopwatch,
            cache_bytes=cache_bytes,
        )
        self._outcomes: dict[int, dict[int, Outcome]] = {}
        self._silent_windows = 0  # that were counted before a recording's outer silence was known

    def run(
        self,
        recordings: Sequence[Recording | Failed],
        sinks: Sequence[Sink],
        states: Mapping[int, Path] | None = None,
    ) -> Generator[list[Outcome], None, None]:
        """Yield the outcomes of each recording's instructions, in order, as soon as they are complete.

        states: files that keep what is done of recordings, by their places; see ``resume``.
        """
        self._states = dict(states or {})
        total = sum(self._count(recording) for recording in recordings)
        counts = [len(instructions) for instructions in self._wanted]
        waiting, done = 0, 0
        with ExitStack() as stack:
            opened = (
                state
                for index, each in enumerate(zip(recordings, self._wanted, sinks, strict=True))
                if (state := self._open(index, *each, stack)) is not None
            )
            for windows in self._batches(opened):
                self._render(windows, self._make(windows))
                done += len(windows)
                self._progress(done + self._silent_windows, total)
                while waiting < len(counts) and self._complete(waiting, counts[waiting]):
                    yield self._pop(waiting)
                    waiting += 1
            for index in range(waiting, len(counts)):
                yield self._pop(index)

    def _complete(self, index: int, count: int) -> bool:
        return len(self._outcomes.get(index, ())) == count

    def _pop(self, index: int) -> list[Outcome]:
        return [outcome for _, outcome in sorted(self._outcomes.pop(index).items())]

    def _count(self, recording: Recording | Failed) -> int:
        """Return the number of windows of a recording."""
        if isinstance(recording, Failed):
            return 0
        return self._plan(recording.length_at(self._runtime.sample_rate)).count

    def _batches(self, states: Iterator[RecordingState]) -> Iterator[list[Window]]:
        """Yield windows to be generated together; recordings are opened as their turn comes."""
        capacity = max(1, self._runtime.batch // self._options.best_of)
        batches = _side_by_side if self._options.windows == "continued" else _in_order
        return batches(states, capacity)

    def _open(
        self,
        index: int,
        recording: Recording | Failed,
        instructions: Sequence[Instruction],
        sink: Sink,
        stack: ExitStack,
    ) -> RecordingState | None:
        """Make a recording ready to be generated; None where nothing of it remains to be done."""
        self._outcomes[index] = {}
        if isinstance(recording, Failed):
            self._outcomes[index] = dict.fromkeys(range(len(instructions)), recording)
            return None
        try:
            remix = Remix(recording, sums=self._options.mode != "generate")
            numbered = enumerate(instructions)
            present = [n for n, each in numbered if self._limit(remix, index, n, each)]
            if not present:
                return None
            state = self._state(index, recording, instructions, present, remix)
            state.present = self._present(state)
            if not state.present:
                self._generator.forget(index)
                return None
            renderer = self._generator.renderer(state, block=self._block)
            state.render = OuterSilence(state, self._options, renderer).push
            state.remix = remix
            stack.enter_context(state.stack)
            state.journal = open_journal(self._states.get(index), recording, self._key(state))
            state.stack.callback(state.journal.close)
            state.open(sink)
        except (ValueError, OSError) as error:
            self._outcomes[index] = dict.fromkeys(range(len(instructions)), Failed(error))
            return None
        return state

    def _state(
        self,
        index: int,
        recording: Recording,
        instructions: Sequence[Instruction],
        present: Sequence[int],
        remix: Remix,
    ) -> RecordingState:
        """Measure a recording, and survey it where all of it must be known before its first window.

        What is far from the spans of all present instructions is not separated.
        """
        with self._stopwatch.timed("read"):
            heard = hear(recording, self._runtime.sample_rate)
        around = self._plan(heard.length).window / 2 / heard.rate
        heard = heard.within(*remix.reach(present, round(around * recording.sample_rate)))
        plan = self._plan(heard.length)
        self._silent_windows += self._count(recording) - plan.count
        opposites, read = self._generator.opposites, self._generator.read
        state = RecordingState(index, heard, plan, instructions, opposites, read)
        state.present = list(present)
        if self._options.min_presence is not None or self._options.global_scope == "file":
            self._survey(state)
        return state

    def _key(self, state: RecordingState) -> dict[str, Any]:
        """Return what the result depends on beside the recording."""
        runtime, bundles = self._runtime, self._runtime.pipeline.bundles
        return {
            "model": {role: bundle.digest for role, bundle in bundles.items()},
            "instruction": [[each.task, each.description] for each in state.instructions],
            "options": dataclasses.asdict(self._options),
            "windows": [state.plan.window, state.plan.hop, state.present],
            "part": [state.heard.silence_before, state.heard.length],
            "device": [runtime.device.platform, np.dtype(runtime.dtype).name, runtime.batch],
        }

    def _make(self, windows: Sequence[Window]) -> list[Mapping[int, Any]]:
        """Return what renderers take of windows: kept from an interrupted run, else made, and kept.

        A batch is made as a whole, as in a run that nothing interrupts: batches of other sizes may round
        differently.
        """
        kept = [window.state.journal.recall(window.index) for window in windows]
        known = [each for each in kept if each is not None]
        if len(known) == len(kept):
            return [window.state.restore(each) for window, each in zip(windows, known, strict=True)]
        made = self._generator.make(windows)
        continued = self._options.windows == "continued"
        for window, each in zip(windows, made, strict=True):
            window.state.keep(window.index, each, continued=continued)
        return list(made)

    def _survey(self, state: RecordingState) -> None:
        """Predict all windows once, without generating: cosines, and the features to be shared."""
        found: list[dict[Instruction, np.ndarray]] = []
        windows = state.windows()
        capacity = max(1, self._runtime.batch // len(state.predicted))
        while part := list(itertools.islice(windows, capacity)):
            found += self._generator.survey(part)
        state.surveyed = True
        if self._options.global_scope == "file":
            for query in state.generated:
                weights = presence_weights(state.cosines[query.extraction])
                features = np.stack([by_query[query] for by_query in found])
                state.shared[query] = shared_feature(features, weights)

    def _present(self, state: RecordingState) -> list[int]:
        """Return the numbers of the targets that are there; notes the outcome of the others."""
        least = self._options.min_presence
        if least is None:
            return state.present
        present = []
        for number in state.present:
            instruction = state.instructions[number]
            found = state.presence(instruction, self._runtime.pipeline.presence)
            if found is None or found.score >= least:
                present.append(number)
            else:
                absent = TargetAbsent(found, instruction, least)
                self._outcomes[state.index][number] = Failed(absent)
        return present

    def _limit(self, remix: Remix, index: int, number: int, instruction: Instruction) -> bool:
        """Return whether an instruction's spans lie in the recording; else note the outcome."""
        try:
            remix.limit(number, instruction)
        except ValueError as error:
            self._outcomes[index][number] = Failed(error)
            return False
        return True

    def _render(self, windows: Sequence[Window], made: Sequence[Mapping[int, Any]]) -> None:
        for window, each in zip(windows, made, strict=True):
            with self._stopwatch.timed("render"):
                for blocks in window.state.render(window.audio, each, window.last):
                    window.state.write(window.state.remix(blocks))
            if window.last:  # its report holds the time of its rendering
                self._finish(window.state)

    def _finish(self, state: RecordingState) -> None:
        """Close the writers of a recording that is done, and note its reports."""
        outcomes = self._outcomes[state.index]
        try:
            state.stack.close()
        except (ValueError, OSError) as error:
            outcomes |= dict.fromkeys(state.present, Failed(error))
            return
        self._generator.forget(state.index)
        timing = self._stopwatch.report()
        for number in state.present:
            instruction = state.instructions[number]
            outcomes[number] = SeparationReport(
                instruction=instruction,
                mode=self._options.mode,
                sample_rate=state.recording.sample_rate,
                samples=state.samples,
                windows=state.plan.count,
                presence=state.presence(instruction, self._runtime.pipeline.presence),
                activity=state.meters[number].finish(),
                peak=state.peaks[number],
                bandwidth=state.heard.bandwidth,
                timing=timing,
            )


def _in_order(states: Iterator[RecordingState], capacity: int) -> Iterator[list[Window]]:
    """Yield windows of any recordings in their order, as many as make ``capacity`` sounds."""
    windows: list[Window] = []
    sounds = 0
    for state in states:
        for window in state.windows():
            if windows and sounds + len(state.generated) > capacity:
                yield windows
                windows, sounds = [], 0
            windows.append(window)
            sounds += len(state.generated)
    if windows:
        yield windows


def _side_by_side(states: Iterator[RecordingState], capacity: int) -> Iterator[list[Window]]:
    """Yield one window of each of several recordings, then the next window of each."""
    ahead = next(states, None)
    while ahead is not None:
        group, sounds = [ahead], len(ahead.generated)
        while (ahead := next(states, None)) is not None:
            if sounds + len(ahead.generated) > capacity:
                break
            group.append(ahead)
            sounds += len(ahead.generated)
        for step in itertools.zip_longest(*(state.windows() for state in group)):
            yield [window for window in step if window is not None]
