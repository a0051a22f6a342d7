"""Write what libsndfile lacks through the ffmpeg program or, where there is none, the PyAV package."""

import dataclasses
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import numpy as np

from hsmtss_jax.audio.formats import Format
from hsmtss_jax.audio.io.metadata import Metadata

Encode = Callable[[np.ndarray], None]


@dataclasses.dataclass(frozen=True)
class Target:
    """Describe what is encoded.

    Attributes:
      form: the container.
      encoder: ffmpeg's name of the codec.
      sample_rate: [Hz].
      channels: C.
      kbps: bit rate [kbit/s]; None for a codec without one.
    """

    form: Format
    encoder: str
    sample_rate: int
    channels: int
    kbps: int | None = None


class Encoder(Protocol):
    """Encode files; implemented by the modules ``ffmpeg_write`` and ``pyav_write``."""

    def available(self) -> bool: ...

    def has_encoder(self, name: str) -> bool: ...

    def encode(
        self, work: Path, target: Target, metadata: Metadata
    ) -> AbstractContextManager[Encode]:
        """Yield what takes blocks [l, C]. Raises Damaged where encoding fails."""


def find_encoder(*, video: bool = False) -> Encoder | None:
    """Return the encoder to use, or None where none is installed; of films ffmpeg alone."""
    from hsmtss_jax.audio.io import ffmpeg_write, pyav_write

    encoders: tuple[Encoder, ...] = (ffmpeg_write,) if video else (ffmpeg_write, pyav_write)
    return next((encoder for encoder in encoders if encoder.available()), None)
