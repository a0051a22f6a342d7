"""One recording on its way through the system: what is asked of it, and what is known so far.

Legend: W samples of a window, P patches, C widths, T token frames, K groups.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np

from hsmtss_jax.audio.windows import Windows, cut_blocks
from hsmtss_jax.inference.presence import Calibration, presence
from hsmtss_jax.inference.recording import Recording
from hsmtss_jax.inference.result import Presence
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.task import Task


@dataclasses.dataclass(frozen=True)
class Prompt:
    """A request in lanes, each the number of an instruction of the run.

    target: the request's own. opposite: the other task, when its sound is wanted: for the mask, or as
    the residual.
    probe: "extract" with the same description, which tells whether it is there.
    """

    instruction: Instruction
    target: int
    opposite: int | None
    probe: int

    @property
    def voices(self) -> list[int]:
        """The lanes whose sound is generated."""
        return [self.target] if self.opposite is None else [self.target, self.opposite]


@dataclasses.dataclass
class Track:
    """A recording, its windows and its prompts, and what the windows so far have told.

    gain: what the mono sound is multiplied with. shared: lane -> the global feature [1, C] that all
    windows use. cosines: lane -> those of its description to prediction and mixture, a window.
    surveyed: every window has been predicted once. tokens: voice -> tokens [T, K] of the last window.
    """

    index: int
    recording: Recording
    plan: Windows
    rate: int
    gain: float
    prompts: list[Prompt]
    shared: dict[int, np.ndarray] = dataclasses.field(default_factory=dict)
    cosines: dict[int, list[tuple[float, float]]] = dataclasses.field(default_factory=dict)
    surveyed: bool = False
    tokens: dict[int, np.ndarray] = dataclasses.field(default_factory=dict)

    @property
    def voices(self) -> list[int]:
        """The lanes that are generated, each once."""
        return list(dict.fromkeys(lane for prompt in self.prompts for lane in prompt.voices))

    @property
    def lanes(self) -> list[int]:
        """The lanes that are predicted: the voices, and probes that are none."""
        probes = [prompt.probe for prompt in self.prompts]
        return list(dict.fromkeys([*self.voices, *probes]))

    def windows(self) -> Iterator[np.ndarray]:
        """The mono sound at the system's rate and at working level, [W] at a time."""
        sound = (block * np.float32(self.gain) for block in self.recording.mono(self.rate))
        return cut_blocks(sound, self.plan)

    def presence(self, prompt: Prompt, calibration: Calibration | None) -> Presence:
        """How sure Q-Audio is of a prompt's description, from the windows so far."""
        predicted, mixture = zip(*self.cosines[prompt.probe], strict=True)
        return presence(predicted, mixture, calibration)


@dataclasses.dataclass(frozen=True)
class Cell:
    """One window [W] of a track. last: there is none behind it."""

    track: Track
    index: int
    audio: np.ndarray

    @property
    def last(self) -> bool:
        return self.index == self.track.plan.count - 1

    @property
    def used(self) -> int:
        """Samples of the window that are sound, not padding."""
        return self.track.plan.used(self.index)


class Lanes:
    """Numbers the instructions of a call, each once. opposites: whether theirs are generated, too."""

    def __init__(self, opposites: bool) -> None:
        self._opposites = opposites
        self._numbers: dict[Instruction, int] = {}

    @property
    def instructions(self) -> list[Instruction]:
        """By their numbers."""
        return list(self._numbers)

    def prompt(self, request: Instruction) -> Prompt:
        """The request in lanes."""
        return Prompt(
            instruction=request,
            target=self._number(request),
            opposite=self._number(request.opposite) if self._opposites else None,
            probe=self._number(dataclasses.replace(request, task=Task.EXTRACT)),
        )

    def _number(self, instruction: Instruction) -> int:
        return self._numbers.setdefault(instruction, len(self._numbers))
