"""Retrieval: ranks, recall at k, and what a random ranking would reach.

Legend: Q queries, N items. Several items may be right for a query; its rank is that of the best one.
"""

import numpy as np


def best_ranks(similarity: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Rank of each query's best relevant item, 1 the best: [Q, N], bool [Q, N] -> int64 [Q].

    A wrong item that ties goes before the right one, so constant scores earn nothing. Other right
    items are never in the way (the best of a clip's captions counts, as in CLAP's audio-to-text).
    Raises ValueError for shapes that differ, scores that are not finite, a query without a right item.
    """
    scores, right = np.asarray(similarity), np.asarray(relevant, bool)
    if scores.shape != right.shape or scores.ndim != 2:
        raise ValueError(f"scores {scores.shape} and relevance {right.shape} must be equal [Q, N]")
    if not np.isfinite(scores).all():
        raise ValueError("the similarities hold NaN or infinite values")
    if not right.any(axis=1).all():
        raise ValueError("a query has no relevant item")
    best = np.where(right, scores, -np.inf).max(axis=1, keepdims=True)
    return 1 + np.sum((scores >= best) & ~right, axis=1)


def chance_recall(relevant: np.ndarray, items: int, k: int) -> np.ndarray:
    """Compute the probability that a correct item is among the first k of a random ranking.

    relevant: number of right items of each query, int [Q] -> [Q]. 1 - C(n - m, k) / C(n, k).
    """
    wrong = items - np.asarray(relevant, np.float64)
    missed = np.ones(wrong.shape)
    for i in range(min(k, items)):
        missed *= np.maximum(wrong - i, 0) / (items - i)
    return 1.0 - missed


def chance_median_rank(relevant: np.ndarray, items: int) -> int:
    """Compute the smallest rank that half of the queries reach in a random ranking."""
    wrong = items - np.asarray(relevant, np.float64)
    missed = np.ones(wrong.shape)
    for rank in range(1, items + 1):
        missed *= np.maximum(wrong - rank + 1, 0) / (items - rank + 1)
        if missed.mean() <= 0.5:
            return rank
    return items
