"""Prompts of a call, and the state of each recording, accumulated window by window.

Legend: W samples of a window, P patches, C widths, T token frames, K groups.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np

from hsmtss_jax.audio.windows import WindowPlan, cut_blocks
from hsmtss_jax.bundles.pipeline import Calibration
from hsmtss_jax.inference.options import Presence
from hsmtss_jax.inference.presence import presence
from hsmtss_jax.inference.recording import Recording
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


class Queries:
    """Numbers the instructions of a call, each once. with_opposites: generate the other task's, too."""

    def __init__(self, with_opposites: bool) -> None:
        self._with_opposites = with_opposites
        self._indices: dict[Instruction, int] = {}

    @property
    def instructions(self) -> list[Instruction]:
        """Return the instructions in the order of their indices."""
        return list(self._indices)

    def prompt(self, instruction: Instruction) -> Prompt:
        """Return the query indices of an instruction."""
        return Prompt(
            instruction=instruction,
            target=self._index(instruction),
            opposite=self._index(instruction.opposite) if self._with_opposites else None,
            presence=self._index(dataclasses.replace(instruction, task=Task.EXTRACT)),
        )

    def _index(self, instruction: Instruction) -> int:
        return self._indices.setdefault(instruction, len(self._indices))


@dataclasses.dataclass
class RecordingState:
    """Per-recording state accumulated window by window.

    Attributes:
      index: the recording's place in the call.
      plan: its windows at ``rate`` [Hz].
      gain: what the mono sound is multiplied with.
      prompts: those that are still to be separated.
      shared: query -> the global feature [1, C] that all windows use.
      cosines: query -> (target cosine, mixture cosine) of each window.
      surveyed: whether every window has been predicted once.
      tokens: query -> tokens [T, K] of the last window.
    """

    index: int
    recording: Recording
    plan: WindowPlan
    rate: int
    gain: float
    prompts: list[Prompt]
    shared: dict[int, np.ndarray] = dataclasses.field(default_factory=dict)
    cosines: dict[int, list[tuple[float, float]]] = dataclasses.field(default_factory=dict)
    surveyed: bool = False
    tokens: dict[int, np.ndarray] = dataclasses.field(default_factory=dict)

    @property
    def generated(self) -> list[int]:
        """Return the queries whose sound is generated, each once."""
        return list(dict.fromkeys(query for prompt in self.prompts for query in prompt.generated))

    @property
    def predicted(self) -> list[int]:
        """Return the queries that are predicted: the generated ones and those of the presence."""
        rest = [prompt.presence for prompt in self.prompts]
        return list(dict.fromkeys([*self.generated, *rest]))

    def windows(self) -> Iterator["Window"]:
        """Yield the mono sound at ``rate`` and at working level, window by window."""
        sound = (block * np.float32(self.gain) for block in self.recording.mono(self.rate))
        for index, audio in enumerate(cut_blocks(sound, self.plan)):
            yield Window(self, index, audio)

    def presence(self, prompt: Prompt, calibration: Calibration | None) -> Presence:
        """Score the presence of a prompt's description in the windows so far."""
        target, mixture = zip(*self.cosines[prompt.presence], strict=True)
        return presence(target, mixture, calibration)


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
