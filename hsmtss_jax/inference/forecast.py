"""Forecast how long a separation takes, from the rate of its windows, and the memory that it needs."""

import time
from collections.abc import Callable
from typing import Any

from hsmtss_jax.bundles.bundle import flatten
from hsmtss_jax.inference.memory import estimate_memory, rows_at_once
from hsmtss_jax.progress import Progress

TOLD = 2  # times at most
WORSE = 2.0  # a later forecast that is told, too, as a multiple of the first


class Forecast:
    """Watch progress; tell the seconds that are left once the second batch is done.

    The first batch, which may compile programs, does not count. Where that was too hopeful (windows kept of
    an interrupted run cost nothing) it tells once more.
    """

    def __init__(
        self,
        progress: Progress,
        tell: Callable[[float, int], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch ``progress``; tell: takes the seconds that are left, and the windows in all."""
        self._progress, self._tell, self._clock = progress, tell, clock
        self._first: tuple[int, float] | None = None
        self._told = 0
        self._end = 0.0

    def __call__(self, done: int, total: int) -> None:
        """Take windows done and windows in all."""
        self._progress(done, total)
        now = self._clock()
        if self._first is None:
            self._first = done, now
            return
        windows, began = self._first
        left = (total - done) * (now - began) / max(1, done - windows)
        hopeful = self._told == 0 or left > WORSE * max(1.0, self._end - now)
        if left > 0 and self._told < TOLD and hopeful:
            self._told, self._end = self._told + 1, now + left
            self._tell(left, total)


def memory_needed(system: Any) -> int | None:
    """Return the bytes that a loaded system takes beside its weights; None where its kind is not known."""
    bundles = system.pipeline.bundles
    rows = rows_at_once(bundles, system.batch, system.device.platform)
    try:
        counts = {
            role: sum(x.size for x in flatten(b.params).values()) for role, b in bundles.items()
        }
        need = estimate_memory(bundles, counts, rows=rows, itemsize=_itemsize(system.dtype))
    except (KeyError, ValueError, TypeError, AttributeError):
        return None
    return need.cache + need.activations


def _itemsize(dtype: Any) -> int:
    import numpy as np

    return int(np.dtype(dtype).itemsize)
