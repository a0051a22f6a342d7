"""The two sounds of one instruction."""

import dataclasses
from typing import Generic, TypeVar

T = TypeVar("T", covariant=True)


@dataclasses.dataclass(frozen=True)
class Stems(Generic[T]):
    """Hold one thing of an instruction's target, and the same of its residual where there is one.

    Of a window: its generated sounds [W], residual: the opposite task's. Of a recording: finished blocks
    [l, C], and what writes them.
    """

    target: T
    residual: T | None = None
