"""Convert sample rates with soxr, in one piece or block by block. L samples, C channels."""

from collections.abc import Iterator

import numpy as np
import soxr


def resampled_length(samples: int, from_rate: int, to_rate: int) -> int:
    """Return the samples that ``resample`` gives: the duration, rounded to at least one sample."""
    if samples == 0:
        return 0
    return max(1, (2 * samples * to_rate + from_rate) // (2 * from_rate))


def resample(x: np.ndarray, from_rate: int, to_rate: int, quality: str = "VHQ") -> np.ndarray:
    """Resample [L] or [L, C] to another rate -> float32 [resampled_length(L), ...], time-aligned.

    quality is soxr's: "VHQ", "HQ" (twice as fast, for training data), "MQ", "LQ", "QQ".
    """
    if from_rate <= 0 or to_rate <= 0:
        raise ValueError(f"sample rates are positive, not {from_rate} and {to_rate}")
    x = np.asarray(x, np.float32)
    if from_rate == to_rate or len(x) == 0:
        return x
    y = soxr.resample(x, from_rate, to_rate, quality=quality)
    return _fit(y, resampled_length(len(x), from_rate, to_rate))


class Resampler:
    """Resample a sound of ``total`` samples given as consecutive blocks [l, C].

    A call returns the samples that are ready, [m, C] with m >= 0; the last block's call returns the rest.
    Joined, they equal ``resample`` of the whole.
    """

    def __init__(self, from_rate: int, to_rate: int, channels: int, total: int) -> None:
        self._left, self._due = total, resampled_length(total, from_rate, to_rate)
        self._stream = None
        if from_rate != to_rate:
            self._stream = soxr.ResampleStream(
                from_rate, to_rate, channels, dtype="float32", quality="VHQ"
            )

    def __call__(self, block: np.ndarray) -> np.ndarray:
        self._left -= len(block)
        if self._stream is None:
            return block
        last = self._left == 0
        y = self._stream.resample_chunk(np.ascontiguousarray(block), last=last)
        y = _fit(y, self._due) if last else y
        self._due -= len(y)
        return y


def resample_blocks(
    blocks: Iterator[np.ndarray], channels: int, from_rate: int, to_rate: int, total: int
) -> Iterator[np.ndarray]:
    """Resample consecutive blocks [l, C]; joined, the results equal ``resample`` of the whole.

    Args:
      blocks: consecutive blocks [l, C].
      channels: C.
      from_rate: rate of the blocks [Hz].
      to_rate: rate of the results [Hz].
      total: number of samples of all blocks.
    """
    resampler = Resampler(from_rate, to_rate, channels, total)
    for block in blocks:
        yield resampler(block)


def to_mono(x: np.ndarray) -> np.ndarray:
    """Average the channels: [L, C] or [L] -> [L] float32."""
    x = np.asarray(x, np.float32)
    return x if x.ndim == 1 else x.mean(axis=1, dtype=np.float32)


def _fit(x: np.ndarray, length: int) -> np.ndarray:
    """Cut or zero-pad axis 0 to ``length``."""
    if len(x) >= length:
        return x[:length]
    return np.concatenate([x, np.zeros((length - len(x), *x.shape[1:]), x.dtype)])
