"""Pairs and judges made up for tests of what is measured."""

import numpy as np

from hsmtss_jax.evaluation.pairs import Pair
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.models.judges.judgement import Judgement


def make_pair(index=0, samples=4_000, tasks=("extract",), **fields):
    """A tone to be told from noise."""
    rng = np.random.default_rng(index)
    target = 0.5 * np.sin(2 * np.pi * 440 * np.arange(samples) / 16_000).astype(np.float32)
    noise = rng.normal(size=samples).astype(np.float32) * 0.1
    texts = {"extract": "a tone", "remove": "noise"}
    return Pair(
        index=index,
        mixture=target + noise,
        target=target,
        instructions=tuple(Instruction(task, texts[task]) for task in tasks),
        group=f"group {index // 2}",
        snr_db=10.0,
        **{"caption": "a tone", **fields},
    )


class MeanJudge:
    """Hears the mean and the loudness; keeps count of its calls."""

    name, classes, digest = "Mean", ("mean", "loud"), "0"

    def __init__(self):
        self.calls = 0

    def __call__(self, audio):
        self.calls += 1
        heard = np.stack([audio.mean(axis=1), np.sqrt((audio**2).mean(axis=1))], axis=1)
        return Judgement(heard, 2 * heard)


class WordJudge:
    """Embeds sounds by sign and size, texts by their first letter."""

    name = "words"

    def embed_audio(self, audio):
        return np.stack(
            [np.clip(audio, 0, None).sum(axis=1), -np.clip(audio, None, 0).sum(axis=1)], 1
        )

    def embed_text(self, texts):
        return np.array([[1.0, 1.0] if text.startswith("a") else [1.0, -1.0] for text in texts])
