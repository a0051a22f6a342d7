"""Similarity of embeddings."""

import numpy as np


def cosine_similarity(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
    """Compute the cosine between vectors along ``axis``; shapes broadcast; 0 for a zero vector."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    norms = np.linalg.norm(a, axis=axis) * np.linalg.norm(b, axis=axis)
    products = np.sum(a * b, axis=axis)
    return np.divide(products, norms, out=np.zeros(norms.shape), where=norms > 0)[()]
