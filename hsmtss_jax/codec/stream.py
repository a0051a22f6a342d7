"""Streaming encoder and decoder: blocks of any length in, the frames they complete out.

The network runs on whole chunks of token frames, one compiled program each way.

Legend: B batch, L samples, N token frames, K groups.
"""

import functools
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from hsmtss_jax.dist import in_32_bits
from hsmtss_jax.models.tf_codec.model import TFCodecConfig
from hsmtss_jax.models.tf_codec.stream import (
    DecoderState,
    EncoderState,
    begin_decoding,
    begin_encoding,
    decode_chunk,
    encode_chunk,
    lead_samples,
)

CHUNK = 64  # token frames computed at once: 1.28 s


class CompiledCodec:
    """Compile the chunk functions of ``models.tf_codec.stream``, with a codec's weights."""

    def __init__(self, config: TFCodecConfig, variables: Mapping[str, Any], dtype: Any) -> None:
        self.config = config
        apply = config.make(dtype).apply
        weights = jax.device_put(variables)

        def program(method: Any, **options: Any) -> Any:
            compiled = jax.jit(functools.partial(apply, method=method), **options)
            return functools.partial(in_32_bits(compiled), weights)

        self.begin_encoding = program(begin_encoding)
        self.encode_chunk = program(encode_chunk)
        self.begin_decoding = program(begin_decoding, static_argnums=1)
        self.decode_chunk = program(decode_chunk)


class StreamingEncoder:
    """Encode rows of sound as it arrives: push blocks of any length, then finish.

    Together the results are the tokens of the whole signal. One program is compiled, for ``chunk`` token
    frames: with chunk=1 a token frame leaves as soon as its last sample is there (``Codec.latency``),
    every further one delays it by 20 ms.
    """

    def __init__(self, codec: CompiledCodec, chunk: int = CHUNK) -> None:
        _check_chunk(chunk)
        self._codec, self._chunk = codec, chunk
        self._buffer: np.ndarray | None = None  # float32 [B, L], read but not coded
        self._state: EncoderState | None = None
        self._coded = 0
        self._finished = False
        self.samples = 0  # pushed so far

    def push(self, audio: np.ndarray) -> np.ndarray:
        """Take float samples [B, l], mono at 16 kHz; return the tokens int32 [B, n, K] they complete."""
        _check_open(self._finished)
        if audio.ndim != 2 or (self._buffer is not None and len(audio) != len(self._buffer)):
            raise ValueError(f"a stream takes blocks [B, l] with one B, not {audio.shape}")
        if not np.isfinite(audio).all():
            raise ValueError("the sound holds NaN or infinite samples: repair it first")
        self.samples += audio.shape[1]
        return self._code(np.asarray(audio, np.float32))

    def finish(self) -> np.ndarray:
        """Return the last tokens int32 [B, n, K]. Raises ValueError when nothing was pushed."""
        if self._buffer is None or self.samples == 0:
            raise ValueError("there are no samples to encode")
        _check_open(self._finished)
        self._finished = True
        config = self._codec.config
        due = config.token_frames(self.samples) - self._coded
        needed = -(-due // self._chunk) * self._chunk * config.token_samples
        needed += lead_samples(config) if self._state is None else 0
        rows, waiting = self._buffer.shape
        return self._code(np.zeros((rows, max(0, needed - waiting)), np.float32))[:, :due]

    def _code(self, audio: np.ndarray) -> np.ndarray:
        """Encode every complete chunk in the buffer plus ``audio``."""
        config = self._codec.config
        if self._buffer is not None:
            audio = np.concatenate([self._buffer, audio], axis=1)
        lead, size = lead_samples(config), self._chunk * config.token_samples
        if self._state is None and audio.shape[1] >= lead:
            self._state = self._codec.begin_encoding(audio[:, :lead])
            audio = audio[:, lead:]
        parts = [np.zeros((len(audio), 0, config.groups), np.int32)]
        while self._state is not None and audio.shape[1] >= size:
            tokens, self._state = self._codec.encode_chunk(audio[:, :size], self._state)
            parts.append(np.asarray(tokens))
            audio = audio[:, size:]
            self._coded += self._chunk
        self._buffer = audio
        return np.concatenate(parts, axis=1)


class StreamingDecoder:
    """Decode rows of tokens as they arrive: push tokens, then finish; joined, the results are the whole.

    samples: the signal's length; the default is all that the tokens can hold.
    """

    def __init__(
        self, codec: CompiledCodec, samples: int | None = None, chunk: int = CHUNK
    ) -> None:
        _check_chunk(chunk)
        self._codec, self._chunk, self._samples = codec, chunk, samples
        self._buffer: np.ndarray | None = None  # int32 [B, n, K]
        self._state: DecoderState | None = None
        self._skip = codec.config.n_fft // 2  # samples before the signal
        self._given = 0
        self._finished = False

    def push(self, tokens: np.ndarray) -> np.ndarray:
        """Take tokens int [B, n, K]; return the samples float32 [B, l] in [-1, 1] they complete."""
        _check_open(self._finished)
        waiting = np.asarray(tokens, np.int32)
        if self._buffer is not None:
            waiting = np.concatenate([self._buffer, waiting], axis=1)
        parts = [np.zeros((len(waiting), 0), np.float32)]
        while waiting.shape[1] >= self._chunk:
            parts.append(self._code(waiting[:, : self._chunk]))
            waiting = waiting[:, self._chunk :]
        self._buffer = waiting
        return self._give(np.concatenate(parts, axis=1))

    def finish(self) -> np.ndarray:
        """Return the rest of the signal float32 [B, l]. Raises ValueError when tokens are missing."""
        if self._buffer is None:
            raise ValueError("there are no tokens to decode")
        _check_open(self._finished)
        self._finished = True
        config, count = self._codec.config, self._buffer.shape[1]
        padding = ((0, 0), (0, self._chunk - count), (0, 0))
        last = self._code(np.pad(self._buffer, padding), count)
        end = count * config.token_samples + config.n_fft // 2 - config.hop
        rest = self._give(last[:, :end])
        if self._samples is not None and self._given < self._samples:
            raise ValueError(f"the tokens give {self._given} samples, not {self._samples}")
        return rest

    def _code(self, tokens: np.ndarray, count: int | None = None) -> np.ndarray:
        """Decode a chunk, with the tail behind it if only ``count`` of its frames are real."""
        if self._state is None:
            self._state = self._codec.begin_decoding(len(tokens))
        real = self._chunk if count is None else count
        audio, self._state = self._codec.decode_chunk(tokens, self._state, real)
        parts = [audio] if count is None else [audio, self._state.tail]
        return np.concatenate(parts, axis=1)

    def _give(self, audio: np.ndarray) -> np.ndarray:
        """Cut the decoder's next samples to the signal, and clip them."""
        skipped = min(self._skip, audio.shape[1])
        self._skip -= skipped
        audio = audio[:, skipped:]
        if self._samples is not None:
            audio = audio[:, : self._samples - self._given]
        self._given += audio.shape[1]
        return np.clip(audio, -1.0, 1.0)


def _check_chunk(chunk: int) -> None:
    if chunk < 1:
        raise ValueError(f"a chunk has at least one token frame, not {chunk}")


def _check_open(finished: bool) -> None:
    if finished:
        raise ValueError("the stream is finished: start another")
