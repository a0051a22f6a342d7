"""The options and the results of ``Separator``, each declared once.

Legend: L samples, C channels, T points of a curve.
"""

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

from hsmtss_jax.option import check, option

if TYPE_CHECKING:  # not to load jax, nor numpy, where only options are wanted
    import numpy as np

    from hsmtss_jax.instructions import Instruction
    from hsmtss_jax.sampling.policies import Policy

Mode = Literal["mask", "generate", "blend"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SeparateOptions:
    """Configure one separation. Raises ValueError for a value out of its range.

    The command line of ``hsmtss separate`` is made from these fields.
    """

    mode: Mode = option(
        "mask",
        "mask attenuates the recording itself, in its channels; generate gives the model's own sound, "
        "mono, as in the paper; blend lies between",
    )
    mask_from: Literal["auto", "decoder", "both", "target"] = option(
        "auto",
        "of mode mask: the bundle's mask decoder (nothing is generated), or a ratio of energies that is made "
        "of both tasks' generated sounds, or of the target's alone, in half the time; auto takes the "
        "decoder where the bundle has one, else both. Mode blend knows no decoder",
    )
    blend: float = option(
        0.5, "of mode blend: from mask (0) to generate (1)", low=0, high=1, metavar="SHARE"
    )
    best_of: int = option(
        1, "draw N times and keep what fits the description best", low=1, metavar="N"
    )
    seed: int = option(0, "seed of the token sampling", low=0, high=2**31 - 1, metavar="N")
    temperature: float | None = option(
        None, "of the token sampling, 0 is greedy", low=0, metavar="T", default_help="the bundle's"
    )
    top_k: int | None = option(
        None, "codes kept, 0 for all", low=0, metavar="K", default_help="the bundle's"
    )
    top_p: float | None = option(
        None,
        "probability mass kept",
        low=0,
        high=1,
        above=True,
        metavar="P",
        default_help="the bundle's",
    )
    windows: Literal["independent", "continued"] = option(
        "independent",
        "draw all windows at once, or let each continue the tokens of the one before (slower)",
        group="windows",
    )
    global_scope: Literal["window", "file"] = option(
        "window",
        "file gives all windows one global feature, so that the target stays the same sound",
        group="windows",
    )
    min_presence: float | None = option(
        None,
        "give nothing where the sound seems absent: its presence score is below this",
        low=0,
        high=1,
        metavar="SCORE",
        default_help="off",
    )
    silence_gate: bool = option(
        True,
        "put digital silence where the codec decodes below -90 dBFS and where the recording has it; off "
        "for numbers beside the paper's",
    )
    residual: bool = option(
        True, "make the rest of the recording as well (in mode generate it costs as much again)"
    )

    span: tuple[str, ...] = option(
        (),
        "work on this part of the file only, 2-4, 1:05-, end-10- or 'the first half'; wins over the sentence",
        repeat=True,
        metavar="SPAN",
        default_help="all of it",
    )
    amount: str | None = option(
        None,
        "how much of what is unwanted is taken away, 6dB, 50% or 0.5; +6dB makes what is wanted louder and "
        "takes nothing away; wins over the sentence",
        metavar="AMOUNT",
        default_help="all of it",
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "span", (self.span,) if isinstance(self.span, str) else self.span)
        check(self)
        self._limits()

    def limited(self, instruction: "Instruction") -> "Instruction":
        """Return an instruction with the spans and the amount of these options, where they are given.

        Raises ValueError for an amount in mode generate, whose sounds do not add up to the recording.
        """
        given = {name: value for name, value in self._limits().items() if value}
        limited = dataclasses.replace(instruction, **given)
        if limited.amount is not None and self.mode == "generate":
            raise ValueError(
                f"mode generate does not take away {limited.amount} of a sound: choose mode mask or blend, "
                "or take it away as a whole (amount 100%)"
            )
        return limited

    def _limits(self) -> dict[str, Any]:
        if not self.span and self.amount is None:  # not to load the parser for nothing
            return {}
        from hsmtss_jax.instructions.amounts import read_amount
        from hsmtss_jax.instructions.spans import read_span

        amount = None if self.amount is None else read_amount(self.amount)
        return {"spans": tuple(map(read_span, self.span)), "amount": amount}

    @property
    def generates_opposite(self) -> bool:
        """Return whether the opposite task's sound is generated: for the mask, or as the residual."""
        if self.mode == "generate":
            return self.residual
        return self.mask_from in ("auto", "both")

    @property
    def gains_of_bands(self) -> bool:
        """Return whether masks have a gain for each mel band, not for each bin."""
        return self.mode == "mask" and self.mask_from != "decoder"

    def resolved(self, decodes_masks: bool) -> "SeparateOptions":
        """Return the options for a bundle that has a mask decoder, or none, without ``auto``.

        Raises ValueError where the decoder is asked for and cannot be had.
        """
        masks = self.mode == "mask"
        if self.mask_from == "decoder" and not (decodes_masks and masks):
            raise ValueError(
                "this bundle has no mask decoder: choose --mask-from both"
                if masks
                else f"mode {self.mode} knows no mask decoder: leave --mask-from out"
            )
        if self.mask_from != "auto":
            return self
        return self.replace(mask_from="decoder" if decodes_masks and masks else "both")

    def replace(self, **changes: Any) -> "SeparateOptions":
        """Return these options with the changes that are not None."""
        given = {name: value for name, value in changes.items() if value is not None}
        return dataclasses.replace(self, **given)

    def policy(self, default: "Policy | None") -> "Policy":
        """Return a bundle's sampling policy, if it has one, with what these options say otherwise."""
        from hsmtss_jax.sampling.policies import Policy

        given = {name: getattr(self, name) for name in ("temperature", "top_k", "top_p")}
        changes = {name: value for name, value in given.items() if value is not None}
        return dataclasses.replace(default or Policy(), **changes)


@dataclasses.dataclass(frozen=True, kw_only=True)
class RuntimeOptions:
    """Configure where and how a system runs. Raises ValueError for a value out of its range."""

    device: str | None = option(
        None, "cpu, gpu, tpu or gpu:1", metavar="NAME", default_help="the fastest there is"
    )
    dtype: Literal["auto", "float32", "bfloat16"] = option(
        "auto", "what the networks compute in; auto is float32 on a CPU, else bfloat16"
    )
    batch: int = option(16, "sounds made at once; memory grows with it", low=1, metavar="N")
    segment: float | None = option(
        None,
        "length of a window [s]",
        low=0,
        above=True,
        metavar="SECONDS",
        group="windows",
        default_help="the model's own",
    )
    overlap: float = option(
        0.25,
        "share of a window that it has in common with the one before",
        low=0,
        high=0.9,
        metavar="SHARE",
        group="windows",
    )

    def __post_init__(self) -> None:
        check(self)


@dataclasses.dataclass(frozen=True)
class Presence:
    """Tell how sure Q-Audio is that the described sound is there; ``float(presence)`` is the score.

    score: in [0, 1], the larger the more likely; see ``presence``. predicted, mixture: the cosines it is
    made of, of the description to the sound predicted for it and to the recording, in the best window.
    """

    score: float
    predicted: float
    mixture: float

    def __float__(self) -> float:
        return self.score


@dataclasses.dataclass(frozen=True)
class Activity:
    """Tell when the target sounds. times: [s], [T]; values: [T] in [0, 1]; see ``ActivityMeter``."""

    times: "np.ndarray"
    values: "np.ndarray"


class TargetAbsent(ValueError):
    """Signal that the described sound was not found: its presence score lies below ``min_presence``.

    Attributes: presence, instruction, min_presence.
    """

    def __init__(self, presence: Presence, instruction: "Instruction", min_presence: float) -> None:
        super().__init__(
            f"{instruction.description!r} does not seem to be in the recording: its presence score is "
            f"{presence.score:.2f}, below {min_presence:.2f}"
        )
        self.presence = presence
        self.instruction = instruction
        self.min_presence = min_presence


@dataclasses.dataclass(frozen=True)
class Failed:
    """Stand in a result's place where there is none: what was wrong with the recording or the prompt."""

    error: ValueError | OSError


@dataclasses.dataclass(frozen=True, kw_only=True)
class SeparationReport:
    """Describe a separation, without its sound.

    sample_rate, samples: of the target. mode: how it was made. windows: how many there were.
    presence: None where the system does not say. peak: largest absolute sample of target and residual.
    bandwidth: [Hz] above which the recording holds next to nothing, at most what the networks hear; 3400 to
    4000 where it came by telephone. gain: what both were multiplied with where files that end at 1 were
    written (``OutputOptions.clip_mode``). timing: seconds of the whole call by step ("read", "semantics",
    "tokens", "waveform", "render" for masks and crossfades, "total"), shared by all prompts and files of
    the call.
    """

    instruction: "Instruction"
    mode: str
    sample_rate: int
    samples: int
    windows: int
    presence: Presence | None
    activity: Activity
    peak: float
    bandwidth: float
    timing: dict[str, float]
    gain: float = 1.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class SeparationResult(SeparationReport):
    """Hold a report with the sounds, float32 [L, C] of the input's length and rate.

    mask, blend: both have the input's channels, and target + residual is the input. generate: both are
    mono; the residual is the sound generated for the opposite task. residual is None when it was not asked
    for. Samples may exceed 1 where the input does: nothing is clipped.
    """

    target: "np.ndarray"
    residual: "np.ndarray | None"
