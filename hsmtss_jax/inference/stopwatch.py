"""Time of one call by step."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Add up the seconds of each step since it was made."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add the time of the body to a step."""
        started = time.perf_counter()
        yield
        self._seconds[step] += time.perf_counter() - started

    def report(self) -> dict[str, float]:
        """Return the seconds of each step so far, and of the "total"."""
        return dict(self._seconds) | {"total": time.perf_counter() - self._started}
