"""Join a recording's windows of sound, in order, to blocks at the recording's own rate and length.

Legend: W samples of a window, l of a block, C channels.
"""

import numpy as np

from hsmtss_jax.audio.io import Resampler
from hsmtss_jax.audio.overlap_add import OverlapAdd


class WindowJoiner:
    """Join windows, [W, C] or mono [W], to blocks [l, C]: crossfaded, resampled, of the recording's length.

    Args:
      overlap_add: crossfades the windows.
      rates: of the windows and of the recording [Hz].
      lengths: of the recording in samples, at these rates.
      channels: C.
    """

    def __init__(
        self,
        overlap_add: OverlapAdd,
        rates: tuple[int, int],
        lengths: tuple[int, int],
        channels: int,
    ) -> None:
        self._overlap_add, self._channels = overlap_add, channels
        self._resampler = Resampler(*rates, channels, lengths[0])
        self._left_in, self._left_out = lengths

    def push(self, window: np.ndarray, last: bool) -> np.ndarray:
        """Take the next window; return the block that it finishes."""
        sound = self._overlap_add.push(window)
        if last:
            sound = np.concatenate([sound, self._overlap_add.finish()])
        sound = sound[: self._left_in]
        self._left_in -= len(sound)
        block = self._resampler(sound.reshape(len(sound), self._channels))[: self._left_out]
        self._left_out -= len(block)
        if last:  # there and back may be off by a sample
            block = np.pad(block, ((0, self._left_out), (0, 0)))
        return block
