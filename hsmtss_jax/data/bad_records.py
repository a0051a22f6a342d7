"""Pass over records that cannot be trained on: damaged, silent, or with values that are no numbers."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

LOG = logging.getLogger("hsmtss_jax.data")
TRIES = 8  # records in place of a bad one, before its error is raised
FEWEST = 200  # examples that a share is judged by
_SOUNDS = ("audio", "mixture", "target")

View = Callable[[int, np.random.Generator], dict[str, Any]]


class PassingOver:
    """Wrap a view: in place of a bad record another one is drawn, and each bad one is named once.

    What is drawn comes from the example's own generator: the same after every restart.

    Args:
      view: from a record's index and a generator to an example.
      indices: of all records.
      name: of a record.
      most: the largest share of bad ones, among all examples that this process has made; 0 allows none.
    """

    def __init__(
        self,
        view: View,
        indices: Sequence[int] | np.ndarray,
        name: Callable[[int], str],
        most: float,
    ) -> None:
        self._view, self._indices, self._name, self._most = view, indices, name, most
        self._seen, self._bad = 0, 0
        self._named: set[int] = set()

    def __call__(self, index: int, rng: np.random.Generator) -> dict[str, Any]:
        """Return an example.

        Raises:
          ValueError: too many records are bad.
        """
        self._seen += 1
        for _ in range(TRIES):
            try:
                example = self._view(index, rng)
                problem = what_is_wrong(example)
                if problem is None:
                    return example
                error: Exception = ValueError(f"it {problem}")
            except (ValueError, OSError, RuntimeError, IndexError) as raised:
                error = raised
            self._note(index, error)
            index = int(self._indices[int(rng.integers(len(self._indices)))])
        raise ValueError(f"{TRIES} records in a row cannot be used; the last: {error}") from error

    def _note(self, index: int, error: Exception) -> None:
        self._bad += 1
        reason = (str(error).strip() or type(error).__name__).split("\n")[0]
        name = self._name(index)
        if self._bad > self._most * max(self._seen, FEWEST if self._most else 1):
            raise ValueError(
                f"{self._bad} of {self._seen} examples are bad, data.bad_share={self._most:g} allows fewer; "
                f"the last is {name}: {reason}"
            ) from error
        if index not in self._named:
            self._named.add(index)
            LOG.warning("record %s is passed over: %s", name, reason)


def what_is_wrong(example: dict[str, Any]) -> str | None:
    """Return "is silent" or the like, None for an example that can be trained on."""
    for key, value in example.items():
        if np.asarray(value).dtype.kind == "f" and not np.all(np.isfinite(value)):
            return f"holds NaN or infinity in {key}"
    for key in _SOUNDS:
        wanted = key != "target" or bool(example.get("present", True))
        if key in example and wanted and not np.any(example[key]):
            return f"is silent ({key})"
    return None
