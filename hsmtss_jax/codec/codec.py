"""The neural codec by itself: sound to tokens and back, whole or as it arrives.

Sound is coded in mono at 16 kHz. Everything goes through the streams, in chunks of one compiled size, so
that memory does not grow with a recording.

Legend: B batch, L samples, N token frames, K groups.
"""

import dataclasses
import os
from collections.abc import Iterable, Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.audio.io import read_blocks, resample, to_mono
from hsmtss_jax.bundles.bundle import Bundle, is_bundle, load_bundle
from hsmtss_jax.bundles.hub import locate
from hsmtss_jax.bundles.pipeline import load_pipeline
from hsmtss_jax.codec.stream import CHUNK, CompiledCodec, StreamingDecoder, StreamingEncoder
from hsmtss_jax.codec.token_file import DIGEST_DIGITS, Tokens
from hsmtss_jax.conversion import from_dict
from hsmtss_jax.models.tf_codec.model import TFCodecConfig
from hsmtss_jax.models.tf_codec.stream import Latency, latency

ROLE = "tf_codec"


@dataclasses.dataclass(frozen=True)
class BitRates:
    """Hold bit rates [bit/s].

    raw: every token at log2(codes) bits. entropy: of each group's tokens, frames taken as independent. A
    token file may take fewer bits than the entropy where sounds last, and more where they are short.
    """

    raw: float
    entropy: float


class Codec:
    """Encode and decode with a bundle, in float32 on every device: tokens last longer than a device.

    >>> codec = Codec.from_pretrained()                # the demo bundle's
    >>> tokens = codec.encode("street.wav")
    >>> audio = codec.decode(tokens)                   # float32 [L], mono at 16 kHz
    """

    sample_rate = SAMPLE_RATE

    def __init__(self, bundle: Bundle, dtype: Any = jnp.float32) -> None:
        """Load a codec bundle. Raises ValueError for a bundle of another stage."""
        if bundle.stage != ROLE:
            raise ValueError(f"{bundle.path} is a bundle of {bundle.stage}, not of {ROLE}")
        self.config = from_dict(TFCodecConfig, bundle.config["model"])
        self.digest = bundle.digest[:DIGEST_DIGITS]
        self._compiled = CompiledCodec(self.config, bundle.params, dtype)

    @classmethod
    def from_pretrained(
        cls, source: str | os.PathLike[str] | None = None, dtype: Any = jnp.float32
    ) -> "Codec":
        """Load a codec bundle, or the codec of a pipeline: a folder, a hub id, or None for the demo bundle.

        Raises OSError or ValueError for what is neither.
        """
        path = locate(source)
        if is_bundle(path):
            return cls(load_bundle(path), dtype)
        return cls(load_pipeline(path, [ROLE]).bundles[ROLE], dtype)

    @property
    def latency(self) -> Latency:
        """Return the algorithmic delays [ms]: 25 + 10 with the paper's sizes."""
        return latency(self.config, self.sample_rate)

    def encoder(self, chunk: int = CHUNK) -> StreamingEncoder:
        """Start a stream from sound to tokens; chunk=1 for the lowest latency."""
        return StreamingEncoder(self._compiled, chunk)

    def decoder(self, samples: int | None = None, chunk: int = CHUNK) -> StreamingDecoder:
        """Start a stream from tokens to ``samples`` of sound, or to all that they give."""
        return StreamingDecoder(self._compiled, samples, chunk)

    def encode(
        self, audio: np.ndarray | str | os.PathLike[str], sample_rate: int | None = None
    ) -> Tokens:
        """Encode a path, read block by block, or float samples [L] or [L, C] with their ``sample_rate``.

        Channels are averaged and the rate becomes 16 kHz. Raises ValueError for no samples or NaN.
        """
        if not isinstance(audio, np.ndarray):
            blocks = read_blocks(audio, self.sample_rate, sample_rate=self.sample_rate, mono=True)
            return self.encode_blocks(block[:, 0] for block in blocks)
        if sample_rate is None or sample_rate <= 0:
            raise ValueError("give the sample_rate of the samples")
        if audio.ndim not in (1, 2):
            raise ValueError(f"samples must be [L] or [L, C], got shape {audio.shape}")
        mono = resample(to_mono(audio)[:, None], sample_rate, self.sample_rate)
        return self.encode_blocks([mono[:, 0]])

    def encode_blocks(self, blocks: Iterable[np.ndarray]) -> Tokens:
        """Encode a signal in float blocks [l] of any lengths, mono at 16 kHz."""
        stream = self.encoder()
        parts = [stream.push(block[None]) for block in blocks]
        parts.append(stream.finish())
        values = np.concatenate(parts, axis=1)[0]
        return Tokens(values, self.config.codes, stream.samples, self.sample_rate, self.digest)

    def decode(self, tokens: Tokens) -> np.ndarray:
        """Decode tokens into samples float32 [L] in [-1, 1], mono at 16 kHz.

        Raises ValueError for tokens of another codec.
        """
        return np.concatenate(list(self.decode_blocks(tokens)))

    def decode_blocks(self, tokens: Tokens) -> Iterator[np.ndarray]:
        """Decode in blocks of about a second. Raises ValueError before the first of them."""
        self.check(tokens)
        return self._decoded(tokens)

    def _decoded(self, tokens: Tokens) -> Iterator[np.ndarray]:
        stream = self.decoder(tokens.samples)
        for start in range(0, len(tokens.values), CHUNK):
            block = stream.push(tokens.values[None, start : start + CHUNK])[0]
            if len(block):
                yield block
        rest = stream.finish()[0]
        if len(rest):
            yield rest

    def check(self, tokens: Tokens) -> None:
        """Raise ValueError for tokens that this codec has not made."""
        if tokens.digest != self.digest:
            raise ValueError(
                f"the tokens were made by codec {tokens.digest[:12]}, this is {self.digest[:12]}: "
                "load the bundle that made them"
            )
        made = (self.config.token_frames(tokens.samples), self.config.groups)
        if tokens.values.shape != made or tokens.codes != self.config.codes:
            raise ValueError(
                f"tokens of {tokens.samples} samples are {list(made)} of {self.config.codes} codes, "
                f"not {list(tokens.values.shape)} of {tokens.codes}"
            )
        if tokens.sample_rate != self.sample_rate:
            raise ValueError(
                f"the tokens are of sound at {tokens.sample_rate} Hz, not {self.sample_rate}"
            )

    def bit_rates(self, tokens: Tokens) -> BitRates:
        """Measure the bit rates of a coded sound."""
        frames, groups = tokens.values.shape
        raw = groups * np.log2(tokens.codes) * self.sample_rate / self.config.token_samples
        counts = [np.bincount(column) for column in tokens.values.T]
        shares = np.concatenate([c[c > 0] for c in counts]) / frames
        entropy = -frames * float((shares * np.log2(shares)).sum()) / tokens.seconds
        return BitRates(float(raw), entropy)
