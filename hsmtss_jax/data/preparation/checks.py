"""Refuse clips that are of no use, or that must not be where they are, with a reason each."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.data.active_level import active_rms
from hsmtss_jax.data.preparation.item import Item
from hsmtss_jax.data.records import read_index

SHORTEST = 0.1  # [s]
SILENT_DB = -60.0  # level of the active part [dB re full scale]
HELD_OUT = ("validation", "test")


class LeftOut(NamedTuple):
    """Name a file and what is wrong with it.

    kind: missing, damaged, repaired (and used), silent, short, twice, held out.
    """

    file: str
    split: str
    kind: str
    reason: str


def refuse_audio(audio: np.ndarray, rate: int = SAMPLE_RATE) -> str:
    """Return why a clip int16 [n] is of no use ("too short: ...", "silent"), or ""."""
    if len(audio) < SHORTEST * rate:
        return f"too short: {len(audio) / rate:.3f} s"
    level = active_rms(audio.astype(np.float32) / np.float32(32768))
    if level < 10.0 ** (SILENT_DB / 20.0):
        return "silent"
    return ""


@dataclasses.dataclass
class Sieve:
    """Pass on the items that can be used; keep the others in ``left_out``.

    Attributes:
      held_out: recordings (``Item.group``) that no training or validation clip may hold.
      left_out: what was not passed on.
    """

    held_out: frozenset[str] = frozenset()
    left_out: list[LeftOut] = dataclasses.field(default_factory=list)

    def pass_on(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield items that are there, once each, and not held out."""
        seen: set[str] = set()
        for item in items:
            if fault := self._fault(item, seen):
                self.left_out.append(LeftOut(item.path, item.split, *fault))
            else:
                yield item
            seen.add(item.id)

    def _fault(self, item: Item, seen: set[str]) -> tuple[str, str] | None:
        if item.id in seen:
            return "twice", f"the id {item.id} stands twice"
        if not item.found:
            return "missing", "no such file"
        if item.split != "test" and item.group in self.held_out:
            return "held out", f"its recording {item.group} is in another set's held-out part"
        return None


def held_out_groups(roots: Sequence[Path]) -> frozenset[str]:
    """Return the recordings of validation and test clips of prepared sets.

    Raises OSError when a set is not prepared, or has neither split.
    """
    groups: set[str] = set()
    for root in roots:
        splits = [name for name in HELD_OUT if list(root.glob(f"*-{name}.array_record-*"))]
        if not splits:
            raise FileNotFoundError(f"{root} is no prepared set with a validation or test split")
        for split in splits:
            groups |= {row.get("group", "") for row in read_index(root, split)}
    return frozenset(groups - {""})
