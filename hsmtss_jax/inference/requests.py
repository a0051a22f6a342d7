"""The prompts of a call, and the state of each recording from its first window to its last.

A query is an instruction's index in the call, a number a prompt's place in its recording.

Legend: W samples of a window, P patches, C widths, T token frames, K groups.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack

import numpy as np

from hsmtss_jax.audio.windows import WindowPlan, cut_blocks
from hsmtss_jax.bundles.pipeline import Calibration
from hsmtss_jax.inference.hearing import Heard
from hsmtss_jax.inference.options import Presence
from hsmtss_jax.inference.outlets import Sink, Writer
from hsmtss_jax.inference.presence import ActivityMeter, presence
from hsmtss_jax.inference.recording import Recording
from hsmtss_jax.inference.stems import Stems
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.task import Task


@dataclasses.dataclass(frozen=True)
class Prompt:
    """An instruction as indices into the queries of a call.

    target: the instruction's own query. opposite: the other task's, when its sound is generated. presence:
    "extract" with the same description, whose cosines say whether it is there.
    """

    instruction: Instruction
    target: int
    opposite: int | None
    presence: int

    @property
    def generated(self) -> list[int]:
        """Return the queries whose sound is generated."""
        return [self.target] if self.opposite is None else [self.target, self.opposite]


def number_queries(
    wanted: Sequence[Sequence[Instruction]], with_opposites: bool
) -> tuple[list[list[Prompt]], list[Instruction]]:
    """Return the prompts of each list of instructions, and the queries of all, each once.

    with_opposites: the other task's sound is generated, too.
    """
    indices: dict[Instruction, int] = {}

    def index(instruction: Instruction) -> int:
        return indices.setdefault(instruction, len(indices))

    def prompt(instruction: Instruction) -> Prompt:
        return Prompt(
            instruction=instruction,
            target=index(instruction),
            opposite=index(instruction.opposite) if with_opposites else None,
            presence=index(dataclasses.replace(instruction, task=Task.EXTRACT)),
        )

    return [[prompt(each) for each in instructions] for instructions in wanted], list(indices)


@dataclasses.dataclass
class RecordingState:
    """Per-recording state accumulated window by window.

    Attributes:
      index: the recording's place in the call.
      heard: the recording as the networks hear it.
      plan: the windows of that.
      prompts: all that the recording is asked for.
      present: the numbers of those that are separated, all unless some targets are absent.
      shared: query -> the global feature [1, C] that all windows use; of every generated query or of none.
      cosines: query -> (target cosine, mixture cosine) of each window.
      surveyed: whether every window was predicted before the first one is generated.
      tokens: query -> tokens [T, K] of the last window.
      stack: keeps the writers open; closed when the recording is done, or left with the call that breaks.
      render: the push of its renderer: a window [W], its sounds, whether it is the last -> finished blocks.
      writers, meters, peaks: by present number.
      samples: how many are finished.
    """

    index: int
    heard: Heard
    plan: WindowPlan
    prompts: Sequence[Prompt]
    present: list[int] = dataclasses.field(init=False)
    shared: dict[int, np.ndarray] = dataclasses.field(default_factory=dict)
    cosines: dict[int, list[tuple[float, float]]] = dataclasses.field(default_factory=dict)
    surveyed: bool = False
    tokens: dict[int, np.ndarray] = dataclasses.field(default_factory=dict)
    stack: ExitStack = dataclasses.field(default_factory=ExitStack)
    render: Callable[
        [np.ndarray, Mapping[int, Stems[np.ndarray]], bool], Iterator[dict[int, Stems[np.ndarray]]]
    ] = dataclasses.field(init=False)
    writers: Mapping[int, Stems[Writer | None]] = dataclasses.field(default_factory=dict)
    meters: dict[int, ActivityMeter] = dataclasses.field(default_factory=dict)
    peaks: dict[int, float] = dataclasses.field(default_factory=dict)
    samples: int = 0

    def __post_init__(self) -> None:
        self.present = list(range(len(self.prompts)))

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
    def generated(self) -> list[int]:
        """Return the queries whose sound is generated, each once."""
        prompts = [self.prompts[number] for number in self.present]
        return list(dict.fromkeys(query for prompt in prompts for query in prompt.generated))

    @property
    def predicted(self) -> list[int]:
        """Return the queries to predict: the generated and, while cosines are due, those of the presence."""
        due = [] if self.surveyed else [self.prompts[number].presence for number in self.present]
        return list(dict.fromkeys([*self.generated, *due]))

    def note(self, query: int, target_cosine: float, mixture_cosine: float) -> None:
        """Take the cosines of the next window; those of a survey are kept as they are."""
        if not self.surveyed:
            self.cosines.setdefault(query, []).append((target_cosine, mixture_cosine))

    def windows(self) -> Iterator["Window"]:
        """Yield the mono sound at ``rate`` and at working level, window by window."""
        for index, audio in enumerate(cut_blocks(self.heard.mono(), self.plan)):
            yield Window(self, index, audio)

    def presence(self, prompt: Prompt, calibration: Calibration | None) -> Presence:
        """Score the presence of a prompt's description in the windows so far."""
        target, mixture = zip(*self.cosines[prompt.presence], strict=True)
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
    """One window [W] of a recording."""

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
