"""Is the described sound in the recording? Q-Audio's answer (HSM-TSS section III-C), as a score.

Two cosines to the description are averaged: that of the recording, and that of the sound which the
separators predict when they are asked to extract it. A bundle may bring a ``Calibration``, measured on
held-out mixtures of which half hold the described sound; the score is then the probability that it does.
"""

import math
from collections.abc import Sequence

import numpy as np

from hsmtss_jax.bundles.pipeline import Calibration
from hsmtss_jax.inference.result import Presence


def presence(
    of_target: Sequence[float], of_mixture: Sequence[float], calibration: Calibration | None = None
) -> Presence:
    """From the cosines of every window: the best window's. Without a calibration the score is the mean
    cosine itself, not below 0."""
    pairs = list(zip(of_target, of_mixture, strict=True))
    predicted, mixture = max(pairs, key=sum)
    mean = (predicted + mixture) / 2
    score = max(0.0, mean)
    if calibration is not None:
        score = 1 / (1 + math.exp(-(calibration.slope * mean + calibration.bias)))
    return Presence(score=float(score), predicted=float(predicted), mixture=float(mixture))


def presence_weights(cosines: Sequence[tuple[float, float]]) -> np.ndarray:
    """What each window counts when its global feature is shared: its mean cosine, [n], sum 1.

    Windows in which the description is not found count for little.
    """
    mean = np.maximum(np.mean(np.array(cosines), axis=1), 0.0) + 1e-3
    return (mean / mean.sum()).astype(np.float32)


def shared_feature(features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """One global feature [1, C] for all windows: the weighted mean of theirs [n, 1, C], as long as they
    are on average."""
    mean = np.einsum("n,nic->ic", weights, features)
    length = float(np.einsum("n,n->", weights, np.linalg.norm(features, axis=(1, 2))))
    return (mean * (length / max(float(np.linalg.norm(mean)), 1e-9))).astype(np.float32)
