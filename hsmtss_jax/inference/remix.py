"""Limit separated sounds to spans of time and to an amount, whatever separated them.

Inside the spans the target is what is wanted and what is not, each times its gain of the ``Amount``. Outside,
what is extracted as a whole is silent; else (a removal, an amount) the target is the recording itself.
Borders are faded within the spans. The residual is what the target lacks of the recording; in mode
generate, whose sounds do not add up to it, outside the spans alone.

Legend: l samples of a block, C channels.
"""

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from hsmtss_jax.audio.io import to_mono
from hsmtss_jax.inference.recording import Recording
from hsmtss_jax.inference.stems import Stems
from hsmtss_jax.instructions import Instruction, InstructionWarning
from hsmtss_jax.instructions.amounts import WHOLE, Amount
from hsmtss_jax.instructions.spans import Span, clock
from hsmtss_jax.task import Task

FADE = 0.015  # [s] inside a span at each of its borders


class Part(NamedTuple):
    """Name samples of a recording, from ``first`` to before ``last``."""

    first: int
    last: int


@dataclasses.dataclass(frozen=True)
class _Limit:
    """Store what limits one instruction's sounds. outside: the gain of the recording outside the parts."""

    parts: Sequence[Part]
    amount: Amount
    outside: float


class Remix:
    """Limit the stems of one recording, block by block from its start."""

    def __init__(self, recording: Recording, sums: bool) -> None:
        """Prepare a recording; sums: target and residual are to add up to it."""
        self._recording, self._sums, self._done = recording, sums, 0
        self._limits: dict[int, _Limit] = {}
        self._fade = round(FADE * recording.sample_rate)
        self._length = recording.length
        self._blocks = recording.blocks()
        self._ahead = np.zeros((0, recording.channels), np.float32)

    def limit(self, number: int, instruction: Instruction) -> None:
        """Limit the blocks of that number. Raises ValueError for spans outside the recording."""
        if not (instruction.spans or instruction.amount):
            return
        parts = [Part(0, self._length)]
        if instruction.spans:
            parts = find_parts(self._recording, instruction.spans)
        amount = instruction.amount or WHOLE
        silent = instruction.task == Task.EXTRACT and amount.whole
        self._limits[number] = _Limit(parts, amount, 0.0 if silent else 1.0)

    def reach(self, numbers: Sequence[int], around: int) -> Part:
        """Return the part of the recording in which blocks of ``numbers`` count, and samples around it."""
        whole = [Part(0, self._length)]
        known = [self._limits[each].parts if each in self._limits else whole for each in numbers]
        parts = [part for each in known for part in each]
        first, last = min(part.first for part in parts), max(part.last for part in parts)
        return Part(max(0, first - around), min(self._length, last + around))

    def __call__(self, blocks: Mapping[int, Stems[np.ndarray]]) -> dict[int, Stems[np.ndarray]]:
        """Return the next blocks [l, C], all of one length, limited."""
        if not self._limits:
            return dict(blocks)
        size, channels = next(iter(blocks.values())).target.shape
        sound = self._read(size)
        sound = sound if channels == sound.shape[1] else to_mono(sound)[:, None]
        places = np.arange(self._done, self._done + size)
        self._done += size
        return {
            number: self._limited(self._limits[number], block, sound, places)
            if number in self._limits
            else block
            for number, block in blocks.items()
        }

    def _limited(
        self, limit: _Limit, block: Stems[np.ndarray], sound: np.ndarray, places: np.ndarray
    ) -> Stems[np.ndarray]:
        inside = envelope(limit.parts, places, self._fade, self._length)[:, None]
        target, amount = block.target, limit.amount
        if amount != WHOLE:
            target = amount.wanted * target + amount.unwanted * (sound - target)
        outside = np.float32(limit.outside) * sound
        target = inside * target + (1 - inside) * outside
        if block.residual is None:
            return Stems(target)
        rest = inside * block.residual + (1 - inside) * (sound - outside)
        return Stems(target, sound - target if self._sums else rest)

    def _read(self, samples: int) -> np.ndarray:
        """Read the recording's next samples [l, C]."""
        while len(self._ahead) < samples:
            self._ahead = np.concatenate([self._ahead, next(self._blocks)])
        read, self._ahead = self._ahead[:samples], self._ahead[samples:]
        return read


def find_parts(recording: Recording, spans: Sequence[Span]) -> list[Part]:
    """Return the parts of a recording that spans of time name, in order and apart from each other.

    Times are those of the whole file, also where the recording is a part of it. Warns of a span that ends
    behind the recording. Raises ValueError for one that begins there, or lies outside the part.
    """
    rate, begin = recording.sample_rate, recording.offset
    whole = (recording.whole or recording.length) / rate
    found = []
    for span in spans:
        start, end = (moment.at(whole) for moment in span)
        if start >= whole or end <= max(start, 0):
            raise ValueError(
                f"the span {span} lies outside the recording, which ends at {clock(whole)}"
            )
        if end > whole + 1 / rate:
            warnings.warn(
                f"the span {span} goes on to the recording's end at {clock(whole)}",
                InstructionWarning,
                stacklevel=2,
            )
        first = max(round(start * rate) - begin, 0)
        last = min(round(end * rate) - begin, recording.length)
        if last <= first:
            part = f"{clock(begin / rate)}-{clock((begin + recording.length) / rate)}"
            raise ValueError(f"the span {span} lies outside the part that is separated, {part}")
        found.append(Part(first, last))
    return _joined(found)


def envelope(parts: Sequence[Part], places: np.ndarray, fade: int, length: int) -> np.ndarray:
    """Compute how much of the samples at ``places`` [l] is inside: 0 to 1, float32 [l].

    It rises and falls within each part over ``fade`` samples, but not at the recording's own ends.
    """
    inside = np.zeros(len(places), np.float32)
    for first, last in parts:
        ramp = max(1, min(fade, (last - first) // 2))
        rise = (places - first + 1) / ramp if first > 0 else np.ones(len(places))
        fall = (last - places) / ramp if last < length else np.ones(len(places))
        within = (places >= first) & (places < last)
        inside = np.where(within, np.clip(np.minimum(rise, fall), 0, 1), inside)
    return inside.astype(np.float32)


def _joined(parts: Sequence[Part]) -> list[Part]:
    """Return the parts in order, those that meet or overlap as one."""
    joined: list[Part] = []
    for part in sorted(parts):
        if joined and part.first <= joined[-1].last:
            joined[-1] = Part(joined[-1].first, max(part.last, joined[-1].last))
        else:
            joined.append(part)
    return joined
