"""Define what decodes one stream of a file: its exact length, and its samples from any one on."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np


class Piece(Protocol):
    """Decode one stream of ``frames`` samples per channel."""

    @property
    def sample_rate(self) -> int:
        """Return the sample rate [Hz]."""

    @property
    def channels(self) -> int:
        """Number of channels C."""

    @property
    def frames(self) -> int:
        """Return the samples per channel that ``blocks`` gives."""

    @property
    def format(self) -> str:
        """Return the container: "WAV", "FLAC", "MP3", ..."""

    @property
    def subtype(self) -> str:
        """Return the codec: "PCM_16", "FLOAT", ..."""

    def blocks(self, size: int, start: int, stop: int) -> Iterator[np.ndarray]:
        """Yield the samples from ``start`` to before ``stop`` as float32 blocks [<= size, C].

        Raises:
          OSError: the file cannot be read any more.
        """


class Damaged(Exception):
    """Signal a stream that nothing can be decoded from; the message says why."""
