"""Describe where in a file its sound lies, for the parsers of containers.

A count in a header is an estimate: writers to a pipe put 0 or the largest number, recorders that crash
leave the first one, downloads end early. ``extent`` decides between a count and the bytes that are there.
"""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

from hsmtss_jax.audio.io.view import View

_LARGEST = (2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1)


@dataclasses.dataclass(frozen=True)
class Stream:
    """Describe one stream that libsndfile decodes.

    Attributes:
      view: the bytes that it is given.
      frames: samples per channel where the structure of the stream tells; None: libsndfile's count.
      claimed_size: size [bytes] that it is told, zeros at the end, where it derives a count from it.
      loud: its decoder prints messages.
    """

    view: View
    frames: int | None = None
    claimed_size: int | None = None
    loud: bool = False


@dataclasses.dataclass(frozen=True)
class Layout:
    """Hold the streams of a file in order, and what there is to warn of; format None: libsndfile's."""

    streams: Sequence[Stream]
    notes: Sequence[str] = ()
    format: str | None = None


class ForeignCodec(Exception):
    """Signal a known container whose codec libsndfile lacks; the argument names it."""


class SampleBytes(NamedTuple):
    """Hold the bytes of sample data that count, and a warning."""

    size: int
    note: str | None = None


def extent(
    stated: int, available: int, align: int, *, more: bool, unit: str = "samples"
) -> SampleBytes:
    """Decide how many bytes of sample data there are.

    Args:
      stated: size in the header.
      available: bytes to the end of the file; below 0 where they would begin behind it.
      align: bytes per sample of all channels.
      more: something else than samples begins behind the stated end.
      unit: what ``align`` bytes hold.
    """
    available = max(available, 0)
    whole = available // align * align
    if stated > available:
        if is_open_end(stated) or (stated - available < align and not available % align):
            return SampleBytes(whole)
        total = max(stated // align, whole // align + 1)
        missing = total - whole // align
        return SampleBytes(whole, f"cut short: {missing} of {total} {unit} are missing")
    if available - stated < align:
        return SampleBytes(whole if stated % align else stated)
    if more:
        return SampleBytes(stated)
    if stated < align:
        return SampleBytes(whole)
    note = (
        f"the header counts {stated // align} {unit}, the file holds {whole // align}: all are read"
    )
    return SampleBytes(whole, note)


def is_open_end(stated: int) -> bool:
    """Return whether a size stands for "not known yet": about the largest of 31, 32 or 63 bits."""
    near = 1 << 16
    return any(largest - near <= stated <= largest + 1 for largest in _LARGEST)
