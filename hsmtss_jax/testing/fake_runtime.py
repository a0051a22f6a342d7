"""A runtime without networks, in numpy: loudness for semantics, noise of that loudness for sound.

It keeps what the real one promises (rows are independent, tokens follow from S, seed and forced frames),
so that everything around the networks can be tested without compiling any.

Legend: n rows, L samples, P = T token frames, K = 2 token groups.
"""

import types
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.audio.masking import BINS, HOP
from hsmtss_jax.inference.generator import CACHE_BYTES, WindowGenerator
from hsmtss_jax.inference.options import SeparateOptions
from hsmtss_jax.inference.runtime import MODES, SeparationRuntime, window_unit
from hsmtss_jax.inference.stopwatch import Stopwatch
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.models.hsm_tss import Prediction, Query
from hsmtss_jax.models.mask_decoder import MaskOutput
from hsmtss_jax.models.semantics import Semantics
from hsmtss_jax.models.separators import TextCondition
from hsmtss_jax.sampling.policies import Policy
from hsmtss_jax.task import Task

WINDOW, FRAME, CODES = 40_960, 320, 256
_NOISE = np.random.default_rng(0).normal(size=(CODES, FRAME)).astype(np.float32)


class FakeRuntime:
    """Imitate a ``SeparationRuntime``: "extract" keeps half of the loudness, "remove" a tenth."""

    device: Any = types.SimpleNamespace(platform="cpu", id=0, device_kind="cpu")
    dtype: Any = np.float32
    sample_rate, window, frame, frames, groups = SAMPLE_RATE, WINDOW, FRAME, 129, 2
    unit, modes = window_unit(FRAME), MODES

    def __init__(self, batch: int = 16, *, decodes_masks: bool = False) -> None:
        self.batch, self.decodes_masks = batch, decodes_masks
        self.pipeline: Any = types.SimpleNamespace(
            sampling=Policy(),
            presence=None,
            path=Path("fake"),
            architecture="hsm_tss",
            bundles={},
        )

    def begin(
        self,
        options: SeparateOptions,
        instructions: Sequence[Instruction],
        stopwatch: Stopwatch,
        *,
        cache_bytes: int = CACHE_BYTES,
    ) -> WindowGenerator:
        return WindowGenerator(self, options, instructions, stopwatch, cache_bytes=cache_bytes)

    def token_frames(self, samples: int) -> int:
        return samples // FRAME + 1

    def clip_samples(self, samples: int) -> int:
        return WINDOW if samples > WINDOW // 2 else WINDOW // 2

    def encode_text(self, instructions: Sequence[Instruction]) -> Query:
        share = np.array([0.5 if each.task == "extract" else 0.1 for each in instructions])
        words = [zlib.crc32(each.description.encode()) % 1000 / 1000 for each in instructions]
        text = np.array(words, np.float32)[:, None, None]
        mask = np.ones(text.shape[:2], bool)
        task = share.astype(np.float32)[:, None, None]
        condition: Any = (text, mask, task, mask)
        number: Any = np.array([Task(each.task).number for each in instructions])
        vector: Any = text[:, 0]
        return Query(TextCondition(*condition), vector, caption=vector, task=number)

    def encode_audio(self, audio: np.ndarray) -> Semantics:
        audio = np.pad(audio, ((0, 0), (0, WINDOW - audio.shape[1])))
        loud = np.sqrt(np.mean(audio.reshape(len(audio), -1, FRAME) ** 2, axis=2))
        s: Any = np.pad(loud, ((0, 0), (0, 1)))[:, :, None].astype(np.float32)
        return Semantics(s=s, g=s.mean(axis=1, keepdims=True))

    def predict(self, mixture: Semantics, query: Query, g: np.ndarray | None = None) -> Prediction:
        share = np.asarray(query.condition.task)
        found = mixture.g * share if g is None else g
        near = np.asarray(query.vector)[:, 0] - np.abs(found[:, 0, 0])
        return Prediction(
            s=np.asarray(mixture.s) * share, g=found, target_cosine=near, mixture_cosine=near / 2
        )

    def similarity(
        self, audio: np.ndarray, query: Query, g: np.ndarray, by_text: np.ndarray
    ) -> np.ndarray:
        del query, g, by_text
        return np.asarray(np.mean(audio[:, ::7], axis=1))

    def decode_mask(
        self, audio: np.ndarray, mixture: Semantics, target: Semantics, query: Query
    ) -> MaskOutput:
        del mixture, target
        shape = len(audio), audio.shape[1] // HOP + 1, len(BINS)
        share = np.asarray(query.condition.task)
        gains: Any = np.broadcast_to(share, shape).astype(np.float32)
        presence: Any = share[:, 0, 0]
        return MaskOutput(gains=gains, presence=presence)

    def sample(
        self,
        s: np.ndarray,
        seeds: np.ndarray,
        policy: Policy,
        *,
        lengths: np.ndarray | None = None,
        forced: np.ndarray | None = None,
        forced_length: np.ndarray | None = None,
    ) -> np.ndarray:
        del policy, lengths
        loud = np.round(np.clip(s[:, : self.frames, 0] * 500, 0, CODES - 1))
        generators = [np.random.default_rng(int(seed)) for seed in seeds]
        drawn = np.stack([each.integers(CODES, size=self.frames) for each in generators])
        tokens = np.stack([loud, drawn], axis=-1).astype(np.int32)
        if forced is not None:
            count = forced.shape[1]
            given = np.full(len(s), count) if forced_length is None else forced_length
            early = np.arange(count)[None, :] < given[:, None]
            tokens[:, :count] = np.where(early[:, :, None], forced, tokens[:, :count])
        return tokens

    def decode_tokens(self, tokens: np.ndarray, samples: int, *, gate: bool = True) -> np.ndarray:
        del gate
        sound = _NOISE[tokens[:, :, 1]] * (tokens[:, :, :1] / 500).astype(np.float32)
        return np.clip(sound.reshape(len(tokens), -1)[:, :samples], -1, 1)


if TYPE_CHECKING:  # mypy compares the two
    _FAKE: SeparationRuntime = FakeRuntime()
