"""The batches of a run: counted, some passed over, and failures of the data told as what they are."""

import re
import time
from collections.abc import Iterable, Mapping
from typing import Any

import grain
import numpy as np

from hsmtss_jax.train.interrupt import TryAgainError


class Draws:
    """Draw batches from an iterator and count them, those passed over included.

    After an error the iterator must stand where it stood before. waited: seconds that drawing took so far.
    """

    def __init__(self, data: grain.DatasetIterator) -> None:
        self.data = data
        self.count = 0
        self.passed: set[int] = set()
        self.waited = 0.0

    def next(self) -> Mapping[str, np.ndarray]:
        """Return the next batch that is not passed over."""
        begun = time.perf_counter()
        while self.count in self.passed:
            next(self.data)
            self.count += 1
        batch = next(self.data)
        self.count += 1
        self.waited += time.perf_counter() - begun
        return batch

    def names(self, number: int) -> tuple[str, ...]:
        """Return the names of the examples of a batch, () where the data gives none."""
        named = getattr(self.data, "names", None)
        return () if named is None else named(number)

    def pass_over(self, numbers: Iterable[int]) -> None:
        """Leave batches out when their turn comes (again); numbers count from the start of the run."""
        self.passed |= set(numbers)

    def to_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps beside the iterator's own position, in plain JSON."""
        return {"count": self.count, "passed": sorted(n for n in self.passed if n >= self.count)}

    def restore(self, saved: Mapping[str, Any], step: int) -> None:
        """Count from where a checkpoint of ``step`` was saved ({}: of a version that passed none over)."""
        self.count = int(saved.get("count", step))
        self.passed |= set(saved.get("passed", ()))

    def close(self) -> None:
        """End the data workers."""
        close = getattr(self.data, "close", None)
        if close is not None:
            close()


def data_failure(error: Exception, where: str) -> Exception:
    """Return what to raise for an error of the data: TryAgainError where it may not come again.

    where: what was saved, for the message.
    """
    text = str(error).strip() or type(error).__name__
    if isinstance(error, RuntimeError) and "terminated unexpectedly" in text:
        code = re.search(r"exit code (-?\d+)", text)
        return TryAgainError(
            f"a data worker was ended (status {code[1] if code else 'unknown'}; -9 is often a lack of "
            f"memory: fewer data.workers need less); {where}"
        )
    if isinstance(error, OSError):
        return TryAgainError(f"the data could not be read: {text}; {where}")
    return error
