"""Encode with the PyAV package, which brings the ffmpeg libraries along."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hsmtss_jax.audio.io.foreign_write import Encode, Target
from hsmtss_jax.audio.io.metadata import Metadata
from hsmtss_jax.audio.io.piece import Damaged
from hsmtss_jax.audio.io.pyav import available

__all__ = ["available", "encode", "has_encoder"]

_BEST = ("fltp", "flt", "s32p", "s32")  # samples, the most exact first
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}


def has_encoder(name: str) -> bool:
    """Return whether its ffmpeg has an encoder."""
    import av

    try:
        av.codec.Codec(name, "w")
    except (av.FFmpegError, ValueError):
        return False
    return True


@contextlib.contextmanager
def encode(work: Path, target: Target, metadata: Metadata) -> Iterator[Encode]:
    """Yield what takes blocks [l, C]. Raises Damaged where encoding fails."""
    import av

    try:
        with av.open(f"file:{work}", "w", format=target.form.muxer) as container:
            container.metadata.update(metadata.tags)
            stream = container.add_stream(target.encoder, rate=target.sample_rate)
            stream.layout = _LAYOUTS[target.channels]
            if target.kbps is not None:
                stream.bit_rate = 1000 * target.kbps
            packets = _Packets(stream, target)
            yield lambda block: container.mux(packets.of(block))
            container.mux(packets.rest())
    except av.FFmpegError as error:
        raise Damaged(f"PyAV: {error}") from error


class _Packets:
    """Encode blocks [l, C], cut into the frames that the codec takes."""

    def __init__(self, stream: Any, target: Target) -> None:
        import av

        self._stream, self._target, self._count = stream, target, 0
        context = stream.codec_context
        known = {form.name for form in context.codec.audio_formats or ()}
        if best := next((name for name in _BEST if name in known), None):
            context.format = av.AudioFormat(best)
        context.open()
        self._resampler = av.AudioResampler(
            context.format.name,
            context.layout.name,
            context.sample_rate,
            context.frame_size or None,
        )

    def of(self, block: np.ndarray) -> list[Any]:
        """Return the packets that a block completes."""
        import av

        layout = _LAYOUTS[self._target.channels]
        flat = np.ascontiguousarray(block, np.float32).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(flat, format="flt", layout=layout)
        frame.sample_rate, frame.pts = self._target.sample_rate, self._count
        self._count += len(block)
        return self._encoded(frame)

    def rest(self) -> list[Any]:
        """Return the last packets."""
        return [*self._encoded(None), *self._stream.encode(None)]

    def _encoded(self, frame: Any) -> list[Any]:
        return [
            packet
            for part in self._resampler.resample(frame)
            for packet in self._stream.encode(part)
        ]
