"""What a separation gives back.

Legend: L samples, C channels, T points of a curve.
"""

import dataclasses

import numpy as np

from hsmtss_jax.instructions import Instruction


@dataclasses.dataclass(frozen=True)
class Presence:
    """How sure Q-Audio is that the described sound is in the recording; ``float(presence)`` is the score.

    score: in [0, 1], the larger the more likely; see ``presence`` for how it is made. predicted and
    mixture: the cosines it is made of, of the description to the global feature that is predicted for
    the described sound, and to that of the recording; the best window's.
    """

    score: float
    predicted: float
    mixture: float

    def __float__(self) -> float:
        return self.score


@dataclasses.dataclass(frozen=True)
class Activity:
    """When the target sounds. times: seconds [T]; values: [T] in [0, 1]; see ``activity``."""

    times: np.ndarray
    values: np.ndarray


class TargetAbsent(ValueError):
    """The described sound was not found: its presence score lies below ``min_presence``.

    Attributes: presence, instruction, min_presence.
    """

    def __init__(self, presence: Presence, instruction: Instruction, min_presence: float) -> None:
        super().__init__(
            f"{instruction.description!r} does not seem to be in the recording: its presence score is "
            f"{presence.score:.2f}, below {min_presence:.2f}"
        )
        self.presence = presence
        self.instruction = instruction
        self.min_presence = min_presence


@dataclasses.dataclass(frozen=True, kw_only=True)
class SeparationReport:
    """All about a separation but its sound.

    sample_rate, samples: of the target. mode: how it was made. windows: how many there were.
    peak: largest absolute sample of target and residual. timing: seconds of the whole call by step
    ("read", "listen", "tokens", "waveform", "render" for masks and seams, "total"), shared by all
    prompts and files of the call.
    """

    instruction: Instruction
    mode: str
    sample_rate: int
    samples: int
    windows: int
    presence: Presence
    activity: Activity
    peak: float
    timing: dict[str, float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SeparationResult(SeparationReport):
    """target: float32 [L, C], of the input's length and rate; residual: the rest of the recording.

    mask: both have the input's channels, and target + residual is the input. generate: both are mono
    and in [-1, 1]; the residual is what the model makes of the opposite task. blend: as described in
    ``modes``. residual is None when it was not asked for.
    """

    target: np.ndarray
    residual: np.ndarray | None
