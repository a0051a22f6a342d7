"""A few static shapes, so that few programs are compiled.

Legend: B rows.
"""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import jax
import numpy as np

from hsmtss_jax.sampling.buckets import round_up

ROWS = (1, 4, 16, 64)
QUARTERS = (1, 2, 4)  # of a window
Item = TypeVar("Item")


def batches(items: Sequence[Item], limit: int) -> Iterator[Sequence[Item]]:
    """Runs of at most ``limit`` items."""
    for start in range(0, len(items), limit):
        yield items[start : start + limit]


def row_bucket(rows: int, limit: int) -> int:
    """The smallest batch of ``ROWS``, or ``limit``, that holds so many rows (at most ``limit``)."""
    return round_up(rows, [*(size for size in ROWS if size < limit), limit])


def length_bucket(samples: int, window: int, unit: int) -> int:
    """The shortest of a few lengths that holds ``samples`` of a window: a multiple of ``unit``."""
    return round_up(samples, [min(window, -(-window * n // (4 * unit)) * unit) for n in QUARTERS])


def padded(tree: Any, rows: int) -> Any:
    """Every array [B, ...] of a tree with its last row repeated until there are ``rows``."""

    def grow(x: Any) -> np.ndarray:
        x = np.asarray(x)
        return np.concatenate([x, np.repeat(x[-1:], rows - len(x), axis=0)])

    return jax.tree.map(grow, tree)
