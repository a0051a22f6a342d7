"""Bring samples of any array type into the form that recordings have. L samples, C channels."""

import operator
from typing import Any, Protocol

import numpy as np

MOST_CHANNELS = 32  # an axis of at most so many entries, beside a much longer one, is the channels'


class SupportsArray(Protocol):
    """Name what numpy can turn into an array: jax.Array, torch.Tensor and the like."""

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray: ...


def as_samples(audio: Any) -> np.ndarray:
    """Return arrays, lists, jax.Array or torch tensors of floats [L], [L, C] or [C, L] as [L, C].

    The channels are the shorter axis where it has at most 32 entries and the other has more than 32 times
    as many; else the second one, as soundfile gives them.

    Raises:
      ValueError: no samples, integers, or another number of axes.
    """
    if hasattr(audio, "detach"):  # a torch tensor that may require gradients or lie on a GPU
        audio = audio.detach().cpu()
    try:
        samples = np.asarray(audio)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"samples must be an array [L] or [L, C]: {error}") from error
    if samples.ndim not in (1, 2) or 0 in samples.shape:
        raise ValueError(f"samples must be [L] or [L, C], got shape {samples.shape}")
    if samples.dtype.name == "bfloat16":
        samples = samples.astype(np.float32)
    if not np.issubdtype(samples.dtype, np.floating):
        raise ValueError(f"samples must be floats in [-1, 1], got {samples.dtype}: scale them")
    samples = samples[:, None] if samples.ndim == 1 else samples
    short, long = samples.shape
    return samples.T if short <= MOST_CHANNELS and long > 32 * short else samples


def as_rate(sample_rate: Any) -> int:
    """Return a sample rate [Hz] given as any kind of whole number, such as 16000.0.

    Raises:
      ValueError: it is missing, no number, not whole or not positive.
    """
    if sample_rate is None:
        raise ValueError("give the sample_rate of the samples")
    try:
        rate = operator.index(sample_rate)
    except TypeError:
        rate = _whole(sample_rate)
    if rate <= 0:
        raise ValueError(f"the sample_rate must be positive, got {sample_rate}")
    return rate


def _whole(sample_rate: Any) -> int:
    text = isinstance(sample_rate, str | bytes)
    try:
        rate = int(sample_rate)
        if not text and rate == sample_rate:
            return rate
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(f"the sample_rate must be a whole number of Hz, got {sample_rate!r}")
