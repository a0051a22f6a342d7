"""Is the described sound in the recording, and when? Q-Audio's score, and the level of the target.

The presence score is the mean of two cosines to the description, by Q-Audio (HSM-TSS section III-B): that
of the recording, and that of the sound which the separators predict when asked to extract it. A bundle may
bring a ``Calibration``, measured on held-out mixtures of which half hold the described sound; the
score is then the probability that it does.

The activity curve is the level of the separated sound over time, chosen by AUC against the true target's
activity on 147 held-out mixtures of the demo model (columns of 160 ms, sounding above quiet): 0.88; the
mixture's own level 0.84, the attention of G over the patches (HSM-TSS Fig. 6) 0.61, the cosine of the
predicted S to the mixture's 0.62.

Legend: l samples, C channels, T points.
"""

import math
from collections.abc import Sequence

import numpy as np

from hsmtss_jax.bundles.pipeline import Calibration
from hsmtss_jax.inference.options import Activity, Presence

STEP = 0.160  # [s] a column of AudioMAE's patches
RANGE_DB = 40.0


def presence(
    target_cosines: Sequence[float],
    mixture_cosines: Sequence[float],
    calibration: Calibration | None = None,
) -> Presence:
    """Score the presence by the best window's cosines. Without a calibration it is their mean, at least 0."""
    pairs = list(zip(target_cosines, mixture_cosines, strict=True))
    predicted, mixture = max(pairs, key=sum)
    mean = (predicted + mixture) / 2
    score = max(0.0, mean)
    if calibration is not None:
        score = 1 / (1 + math.exp(-(calibration.slope * mean + calibration.bias)))
    return Presence(score=float(score), predicted=float(predicted), mixture=float(mixture))


def presence_weights(cosines: Sequence[tuple[float, float]]) -> np.ndarray:
    """Compute each window's weight in a shared global feature from its mean cosine: [n], sum 1.

    Windows in which the description is not found weigh little.
    """
    mean = np.maximum(np.mean(np.array(cosines), axis=1), 0.0) + 1e-3
    return (mean / mean.sum()).astype(np.float32)


def shared_feature(features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average the global features [n, 1, C] of all windows to one [1, C], rescaled to their mean norm."""
    mean = np.einsum("n,nic->ic", weights, features)
    norm = float(np.einsum("n,n->", weights, np.linalg.norm(features, axis=(1, 2))))
    return (mean * (norm / max(float(np.linalg.norm(mean)), 1e-9))).astype(np.float32)


class ActivityMeter:
    """Measure a target block by block. A value is 1 where it is loudest, 0 from 40 dB below that."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._step = max(1, round(STEP * sample_rate))
        self._rest = np.zeros(0, np.float32)
        self._done: list[np.ndarray] = []

    def push(self, block: np.ndarray) -> None:
        """Take the next samples [l, C]."""
        squared = np.square(block, dtype=np.float64)
        power = np.concatenate([self._rest, np.mean(squared, axis=1)])
        whole = len(power) // self._step * self._step
        self._done.append(power[:whole].reshape(-1, self._step).mean(axis=1))
        self._rest = power[whole:]

    def finish(self) -> Activity:
        """Return the curve, times in the middle of each step; zeros for silence."""
        last = [self._rest.sum(keepdims=True) / self._step] if len(self._rest) else []
        power = np.concatenate([*self._done, *last])
        loudest = float(power.max(initial=0.0))
        share = power / loudest if loudest > 0 else np.zeros_like(power)
        values = np.clip(1 + 10 * np.log10(np.maximum(share, 1e-12)) / RANGE_DB, 0.0, 1.0)
        times = (np.arange(len(values)) + 0.5) * self._step / self._rate
        return Activity(times=times, values=values.astype(np.float32))
