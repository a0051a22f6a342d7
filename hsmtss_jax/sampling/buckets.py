"""A few static shapes for calls of any size, because each shape costs a compilation.

One ladder for each of rows, clip lengths and text; ``apply_in_batches`` runs a function on any number of
rows. Knows no model.

Legend: B rows, n rows asked for, N tokens.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import jax
import numpy as np

TEXT_SIZES = (8, 16, 32, 64)  # tokens
Item = TypeVar("Item")


def round_up(size: int, sizes: Sequence[int]) -> int:
    """Return the smallest of ascending ``sizes`` that holds ``size``. Raises ValueError beyond the last."""
    for candidate in sizes:
        if size <= candidate:
            return candidate
    raise ValueError(f"{size} does not fit: the largest size is {sizes[-1]}")


def row_sizes(limit: int) -> tuple[int, ...]:
    """Return the powers of four below ``limit``, and ``limit``."""
    powers = (4**i for i in range(limit.bit_length()))
    return (*(size for size in powers if size < limit), limit)


def clip_sizes(window: int, unit: int) -> tuple[int, ...]:
    """Return a quarter, a half and the whole of a window [samples], rounded up to multiples of ``unit``."""
    return tuple(min(window, -(-window * n // (4 * unit)) * unit) for n in (1, 2, 4))


def trim_text(ids: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut token ids and mask [B, N] to the smallest of ``TEXT_SIZES`` that holds the longest text."""
    longest, limit = int(mask.sum(axis=1).max(initial=0)), ids.shape[1]
    size = round_up(longest, [*(size for size in TEXT_SIZES if size < limit), limit])
    return ids[:, :size], mask[:, :size]


def batches(items: Iterable[Item], limit: int) -> Iterator[list[Item]]:
    """Yield runs of at most ``limit`` items; no more than one run is taken ahead."""
    left = iter(items)
    while part := list(itertools.islice(left, limit)):
        yield part


def pad_rows(tree: Any, rows: int) -> Any:
    """Repeat the last row of every array [n, ...] of a tree until there are ``rows``."""

    def pad(x: Any) -> np.ndarray:
        x = np.asarray(x)
        return np.concatenate([x, np.repeat(x[-1:], rows - len(x), axis=0)])

    return jax.tree.map(pad, tree)


def apply_in_batches(function: Callable[..., Any], *trees: Any, limit: int) -> Any:
    """Apply a function of trees of arrays [B, ...] to any number of rows, in numpy.

    It is called with at most ``limit`` rows at a time, of ``row_sizes``. Raises ValueError for no row.
    """
    rows, sizes, parts = len(jax.tree.leaves(trees)[0]), row_sizes(limit), []
    if not rows:
        raise ValueError("there is no row to compute")
    for part in batches(range(rows), limit):
        here = jax.tree.map(lambda x, part=part: x[part[0] : part[-1] + 1], trees)
        out = function(*pad_rows(here, round_up(len(part), sizes)))
        parts.append(jax.tree.map(lambda x, part=part: np.asarray(x)[: len(part)], out))
    return jax.tree.map(lambda *x: np.concatenate(x), *parts)
