"""Mask separators with random weights, and one without a network, for tests of what stands on them."""

import types
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.bundles.pipeline import MASK_ROLES, Pipeline
from hsmtss_jax.conversion import to_dict
from hsmtss_jax.inference.options import Mode, SeparateOptions
from hsmtss_jax.inference.stopwatch import Stopwatch
from hsmtss_jax.inference.system import System
from hsmtss_jax.inference.waveform import WaveformSeparator
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.models.mask_separator import MaskSeparatorConfig
from hsmtss_jax.models.text import encoder as text_encoder
from hsmtss_jax.models.text.clap import ClapTextConfig
from hsmtss_jax.testing.bundles import draw, tokenizer_json

TINY = MaskSeparatorConfig(channels=(4, 6), sample_rate=8_000, n_fft=512, hop=80)
TINY_CLAP = ClapTextConfig(encoder=text_encoder.tiny(), embedding=12)


def tiny_mask_pipeline() -> Pipeline:
    """Return a pipeline of AudioSep's kind in miniature, at 8 kHz with CLAP's queries."""
    ids = jnp.ones((1, 4), jnp.int32)
    clap = jax.eval_shape(TINY_CLAP.make().init, jax.random.key(0), ids, ids.astype(bool))
    query = Bundle(
        stage="clap_text",
        config={"name": "clap_text", "model": to_dict(TINY_CLAP)},
        params=draw(clap["params"], "clap_text"),
        digest="clap-text",
        files={"tokenizer.json": tokenizer_json().encode()},
    )
    inputs = jnp.ones((1, TINY.n_fft)), jnp.ones((1, TINY_CLAP.embedding))
    shapes = jax.eval_shape(TINY.make().init, jax.random.key(0), *inputs)
    network = Bundle(
        stage="mask_separator",
        config={"name": "mask_separator", "model": to_dict(TINY)},
        params=draw(shapes, "mask_separator"),
        digest="mask-separator",
        upstream={"text_encoder": query.digest},
    )
    return Pipeline(
        {"text_encoder": query, "mask_separator": network},
        None,
        {"roles": MASK_ROLES},
        Path("tiny"),
    )


class FakeMaskSystem:
    """Imitate a mask separator: the described sound is the recording times its query, in numpy.

    share: description -> what of the recording is the described sound.
    """

    device: Any = types.SimpleNamespace(platform="cpu", id=0, device_kind="cpu")
    dtype: Any = np.float32
    sample_rate, unit, window = 8_000, 80, 16_000
    modes: tuple[Mode, ...] = ("mask",)

    def __init__(self, share: dict[str, float], batch: int = 16) -> None:
        self.batch, self._share = batch, share
        self.rows: list[int] = []  # of each call of the network
        self.pipeline: Any = types.SimpleNamespace(
            bundles={},
            sampling=None,
            presence=None,
            path=Path("fake_mask"),
            architecture="mask_separator",
        )

    def encode_text(self, descriptions: Sequence[str]) -> np.ndarray:
        return np.array([[self._share[each]] for each in descriptions], np.float32)

    def separate(self, audio: np.ndarray, query: np.ndarray) -> np.ndarray:
        self.rows.append(len(audio))
        return audio * query

    def begin(
        self,
        options: SeparateOptions,
        instructions: Sequence[Instruction],
        stopwatch: Stopwatch,
        *,
        cache_bytes: int = 0,
    ) -> WaveformSeparator:
        del cache_bytes
        return WaveformSeparator(self, options, instructions, stopwatch)


if TYPE_CHECKING:  # mypy compares the two
    _FAKE: System = FakeMaskSystem({})
