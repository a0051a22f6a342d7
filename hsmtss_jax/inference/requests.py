"""The state of each recording from its first window to its last.

What the networks are asked is keyed by the ``Instruction`` itself; a number is an instruction's place in
its recording's list.

Legend: W samples of a window, P patches, C widths, T token frames, K groups.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from hsmtss_jax.audio.windows import WindowPlan, cut_blocks
from hsmtss_jax.bundles.pipeline import Calibration
from hsmtss_jax.inference.hearing import Heard
from hsmtss_jax.inference.options import Presence
from hsmtss_jax.inference.outlets import Sink, Writer
from hsmtss_jax.inference.presence import ActivityMeter, presence
from hsmtss_jax.inference.recording import Recording
from hsmtss_jax.inference.resume import Journal, NoJournal, WindowState
from hsmtss_jax.inference.stems import Stems
from hsmtss_jax.instructions import Instruction


def read_mono(state: "RecordingState") -> Iterator[np.ndarray]:
    """Yield the mono sound of a recording at ``rate`` and at working level, [l] at a time."""
    return state.heard.mono()


@dataclasses.dataclass
class RecordingState:
    """Accumulate a recording's state window by window.

    Attributes:
      index: the recording's place in the call.
      heard: the recording as the networks hear it.
      plan: the windows of that.
      instructions: all that the recording is asked for.
      opposites: whether the opposite task's sounds are generated as well.
      read: gives the recording as the networks hear it, block by block.
      present: the numbers of those that are separated, all unless some targets are absent.
      shared: the global feature [1, C] that all windows use; of everything generated, or empty.
      cosines: (target cosine, mixture cosine) of each window.
      surveyed: whether every window was predicted before the first one is generated.
      tokens: tokens [T, K] of the last window.
      stack: keeps the writers open; closed when the recording is done, or left with the call that breaks.
      render: the push of its renderer: a window, what was made of it by number, whether it is the last ->
        finished blocks.
      remix: limits such blocks to the instructions' spans and amounts.
      journal: keeps what is made of the windows.
      writers, meters, peaks: by present number.
      samples: how many are finished.
    """

    index: int
    heard: Heard
    plan: WindowPlan
    instructions: Sequence[Instruction]
    opposites: bool
    read: Callable[["RecordingState"], Iterator[np.ndarray]] = read_mono
    present: list[int] = dataclasses.field(init=False)
    shared: dict[Instruction, np.ndarray] = dataclasses.field(default_factory=dict)
    cosines: dict[Instruction, list[tuple[float, float]]] = dataclasses.field(default_factory=dict)
    surveyed: bool = False
    tokens: dict[Instruction, np.ndarray] = dataclasses.field(default_factory=dict)
    stack: ExitStack = dataclasses.field(default_factory=ExitStack)
    render: Callable[
        [np.ndarray, Mapping[int, Any], bool], Iterator[dict[int, Stems[np.ndarray]]]
    ] = dataclasses.field(init=False)
    remix: Callable[[Mapping[int, Stems[np.ndarray]]], Mapping[int, Stems[np.ndarray]]] = (
        dataclasses.field(init=False)
    )
    journal: Journal = dataclasses.field(default_factory=NoJournal)
    writers: Mapping[int, Stems[Writer | None]] = dataclasses.field(default_factory=dict)
    meters: dict[int, ActivityMeter] = dataclasses.field(default_factory=dict)
    peaks: dict[int, float] = dataclasses.field(default_factory=dict)
    samples: int = 0

    def __post_init__(self) -> None:
        self.present = list(range(len(self.instructions)))

    @property
    def recording(self) -> Recording:
        """Return the whole recording."""
        return self.heard.whole

    @property
    def rate(self) -> int:
        """Return the rate of the windows [Hz]."""
        return self.heard.rate

    @property
    def gain(self) -> float:
        """Return what the sound was multiplied with to be at working level."""
        return self.heard.gain

    @property
    def generated(self) -> list[Instruction]:
        """Return what sounds are generated of, each once: the present instructions, and their opposites."""
        asked = [self.instructions[number] for number in self.present]
        return with_opposites(asked) if self.opposites else list(dict.fromkeys(asked))

    @property
    def predicted(self) -> list[Instruction]:
        """Return what is predicted: the generated and, while cosines are due, what they are taken of."""
        due = [] if self.surveyed else [self.instructions[n].extraction for n in self.present]
        return list(dict.fromkeys([*self.generated, *due]))

    def note(self, query: Instruction, target_cosine: float, mixture_cosine: float) -> None:
        """Take the cosines of the next window; those of a survey are kept as they are."""
        if not self.surveyed:
            self.cosines.setdefault(query, []).append((target_cosine, mixture_cosine))

    def keep(self, index: int, made: Mapping[int, Any], *, continued: bool) -> None:
        """Keep what was made of a window; continued: its tokens, too, with which the next one begins."""
        cosines = {} if self.surveyed else self.cosines
        self.journal.keep(
            index,
            WindowState(
                made=made,
                cosines={place: of[index] for place, of in enumerate(cosines.values())},
                tokens=dict(enumerate(self.tokens.values() if continued else ())),
            ),
        )

    def restore(self, kept: WindowState) -> Mapping[int, Any]:
        """Take what is kept of the next window, and return what was made of it."""
        queries = self.predicted
        for place, pair in kept.cosines.items():
            self.note(queries[place], *pair)
        sampled = self.generated
        self.tokens |= {sampled[place]: tokens for place, tokens in kept.tokens.items()}
        return kept.made

    def windows(self) -> Iterator["Window"]:
        """Yield the sound at ``rate`` as the networks hear it, window by window."""
        for index, audio in enumerate(cut_blocks(self.read(self), self.plan)):
            yield Window(self, index, audio)

    def presence(
        self, instruction: Instruction, calibration: Calibration | None
    ) -> Presence | None:
        """Score the presence of an instruction's description in the windows so far; None: unknown."""
        if instruction.extraction not in self.cosines:
            return None
        target, mixture = zip(*self.cosines[instruction.extraction], strict=True)
        return presence(target, mixture, calibration)

    def open(self, sink: Sink) -> None:
        """Open the writers of the present numbers; ``stack`` closes them."""
        self.writers = self.stack.enter_context(sink.open(self.recording, self.present))
        self.meters = {each: ActivityMeter(self.recording.sample_rate) for each in self.present}
        self.peaks = dict.fromkeys(self.present, 0.0)

    def write(self, blocks: Mapping[int, Stems[np.ndarray]]) -> None:
        """Measure and write the next block of every present number, all of one length."""
        self.samples += len(blocks[self.present[0]].target)
        for number, block in blocks.items():
            writers = self.writers[number]
            self.meters[number].push(block.target)
            self._write(number, block.target, writers.target)
            if block.residual is not None:
                self._write(number, block.residual, writers.residual)

    def _write(self, number: int, sound: np.ndarray, writer: Writer | None) -> None:
        self.peaks[number] = max(self.peaks[number], float(np.abs(sound).max(initial=0.0)))
        if writer is not None:
            writer.write(sound)


@dataclasses.dataclass(frozen=True)
class Window:
    """Hold one window [W], or [W, C] channel by channel, of a recording."""

    state: RecordingState
    index: int
    audio: np.ndarray

    @property
    def last(self) -> bool:
        """Return whether it is the recording's last one."""
        return self.index == self.state.plan.count - 1

    @property
    def used(self) -> int:
        """Return how many of its samples are the recording's; the rest is padding."""
        return self.state.plan.used(self.index)


def with_opposites(instructions: Iterable[Instruction]) -> list[Instruction]:
    """Return the instructions with the opposite of each behind it, each once."""
    return list(dict.fromkeys(q for each in instructions for q in (each, each.opposite)))
