"""A system without networks, in numpy: loudness for semantics, noise of that loudness for sound.

It keeps what the real one promises (rows are independent, tokens follow from S, seed and forced frames),
so that everything around the networks can be tested without compiling any.

Legend: B rows, L samples, P = T token frames, K = 2 token groups.
"""

import types
import zlib

import numpy as np

from hsmtss_jax.inference.runtime import Prediction
from hsmtss_jax.models.hsm_tss import Query
from hsmtss_jax.models.semantics import Semantics
from hsmtss_jax.models.separators import TextCondition
from hsmtss_jax.sampling.policies import Policy

WINDOW, FRAME, CODES = 40_960, 320, 256
_NOISE = np.random.default_rng(0).normal(size=(CODES, FRAME)).astype(np.float32)


class FakeSystem:
    """What ``Separator`` uses of a ``System``. "extract" keeps half of the loudness, "remove" a tenth."""

    sample_rate, window, frame, frames = 16000, WINDOW, FRAME, 129
    device = types.SimpleNamespace(platform="cpu")
    pipeline = types.SimpleNamespace(sampling=Policy(), presence=None)
    decoder_config = types.SimpleNamespace(groups=2)
    codec = types.SimpleNamespace(token_frames=lambda samples: samples // FRAME + 1)

    def queries(self, tasks, descriptions):
        share = np.array([0.5 if task == "extract" else 0.1 for task in tasks], np.float32)
        words = [zlib.crc32(text.encode()) % 1000 / 1000 for text in descriptions]
        text = np.array(words, np.float32)[:, None, None]
        mask = np.ones(text.shape[:2], bool)
        condition = TextCondition(text, mask, share[:, None, None], mask)
        return Query(condition=condition, vector=text[:, 0])

    def listen(self, audio):
        assert audio.shape[1] == WINDOW
        loud = np.sqrt(np.mean(audio.reshape(len(audio), -1, FRAME) ** 2, axis=2))
        s = np.pad(loud, ((0, 0), (0, 1)))[:, :, None].astype(np.float32)
        return Semantics(s=s, g=s.mean(axis=1, keepdims=True))

    def predict(self, mixture, query, g=None):
        found = mixture.g * query.condition.task if g is None else g
        near = query.vector[:, 0] - np.abs(found[:, 0, 0])
        return Prediction(
            s=mixture.s * query.condition.task, g=found, of_target=near, of_mixture=near / 2
        )

    def sample(self, s, seeds, policy, forced, given, lengths):
        frames = self.frames
        loud = np.round(np.clip(s[:, :frames, 0] * 500, 0, CODES - 1))
        drawn = [np.random.default_rng(int(seed)).integers(CODES, size=frames) for seed in seeds]
        tokens = np.stack([loud, np.stack(drawn)], axis=-1).astype(np.int32)
        early = np.arange(forced.shape[1])[None, :] < given[:, None]
        count = forced.shape[1]
        tokens[:, :count] = np.where(early[:, :, None], forced, tokens[:, :count])
        return tokens

    def decode(self, tokens, samples):
        sound = _NOISE[tokens[:, :, 1]] * (tokens[:, :, :1] / 500).astype(np.float32)
        return np.clip(sound.reshape(len(tokens), -1)[:, :samples], -1, 1)

    def judge(self, audio, query, g, by_text):
        return np.mean(audio[:, ::7], axis=1)
