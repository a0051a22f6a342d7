"""Interface between the acoustic decoder and a neural codec, so that another codec can replace TF-Codec.

HSM-TSS section V-E foresees other, non-causal codecs: they need a class with these members, and a line in
``CODECS``. In a pipeline a codec's bundle has the role name ``tf_codec`` whatever its kind; the bundle's
``stage`` says which codec it is.

Legend: B batch, L samples, N token frames, K groups (codebooks).
"""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.conversion import from_dict
from hsmtss_jax.models.tf_codec.model import Count, TFCodecConfig
from hsmtss_jax.nn.apply import apply


class NeuralCodec(Protocol):
    """Define pure functions of a codec's variables, to be traced under ``jit``."""

    @property
    def groups(self) -> int:
        """Return K, codes per token frame."""

    @property
    def codes(self) -> int:
        """Return the size of each codebook."""

    @property
    def sample_rate(self) -> int:
        """Return the rate of input and output [Hz]. The system uses 16000; other codecs resample inside."""

    @property
    def frame_samples(self) -> int:
        """Return the distance of token frames [samples]."""

    def token_frames(self, samples: Count) -> Count:
        """Return N for a signal of this many samples, an int or an integer array."""

    def encode(self, variables: Any, audio: jax.Array) -> jax.Array:
        """Encode samples [B, L] in [-1, 1] -> tokens int32 [B, N, K]."""

    def decode(self, variables: Any, tokens: jax.Array, samples: int) -> jax.Array:
        """Decode tokens [B, N, K] -> float32 [B, samples]."""


@dataclasses.dataclass(frozen=True)
class TFCodecAdapter:
    """Adapt TF-Codec to ``NeuralCodec``."""

    config: TFCodecConfig
    dtype: Any = jnp.float32

    @property
    def groups(self) -> int:
        return self.config.groups

    @property
    def codes(self) -> int:
        return self.config.codes

    @property
    def sample_rate(self) -> int:
        return SAMPLE_RATE

    @property
    def frame_samples(self) -> int:
        return self.config.hop * self.config.frames_per_token

    def token_frames(self, samples: Count) -> Count:
        return self.config.token_frames(samples)

    def encode(self, variables: Any, audio: jax.Array) -> jax.Array:
        codec = self.config.make(self.dtype)
        return apply(codec, variables, audio, method="encode", out=jax.Array)

    def decode(self, variables: Any, tokens: jax.Array, samples: int) -> jax.Array:
        codec = self.config.make(self.dtype)
        audio = apply(codec, variables, tokens, samples, method="decode", out=jax.Array)
        return audio.astype(jnp.float32)


def _tf_codec(config: Mapping[str, Any], dtype: Any) -> NeuralCodec:
    return TFCodecAdapter(from_dict(TFCodecConfig, config["model"]), dtype)


# Stage name of a bundle -> its codec from the bundle's config and a compute dtype.
CODECS: dict[str, Callable[[Mapping[str, Any], Any], NeuralCodec]] = {"tf_codec": _tf_codec}


def make_codec(stage: str, config: Mapping[str, Any], dtype: Any = jnp.float32) -> NeuralCodec:
    """Create the codec of a bundle, given its ``stage`` and ``config``.

    Raises:
      ValueError: a bundle of another kind, or a codec of another sample rate.
    """
    if stage not in CODECS:
        raise ValueError(f"a bundle of {stage} is no codec: give one of {', '.join(CODECS)}")
    codec = CODECS[stage](config, dtype)
    if codec.sample_rate != SAMPLE_RATE:
        raise ValueError(
            f"codec {stage} works at {codec.sample_rate} Hz and the system at {SAMPLE_RATE}: "
            "resample inside its encode and decode"
        )
    return codec


def raw_kbps(groups: int, codes: int, frame_rate: float) -> float:
    """Compute the uncompressed bit rate [kbit/s]: 16 groups of 1024 codes, 50 times a second -> 8.0."""
    return groups * math.log2(codes) * frame_rate / 1000.0
