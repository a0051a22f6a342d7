"""Where the system loses: estimates with one stage's output swapped for the truth, by parts of the system.

No row named after the system is made here: those go through ``Separator``. The parts hear the mixture at
its own level, in one window.

Legend: L samples, P patches, C widths, n = 2 instructions of a pair.
"""

import dataclasses
from typing import Any

import jax
import numpy as np

from hsmtss_jax.audio.silence import silence_gain
from hsmtss_jax.evaluation.pairs import Pair
from hsmtss_jax.inference.options import SeparateOptions
from hsmtss_jax.inference.runtime import Runtime
from hsmtss_jax.metrics import cosine_similarity
from hsmtss_jax.models.semantics import Semantics


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """Store a pair's route, an entry an instruction. audio: None, or an estimate [L] each.

    cosines: metric -> cosine to the target's features, each.
    """

    route: str
    audio: list[np.ndarray] | None = None
    cosines: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)


def diagnose(runtime: Runtime, pair: Pair, options: SeparateOptions) -> list[Diagnosis]:
    """Run a pair by parts of the system. Raises ValueError when it is longer than the window."""
    count = len(pair.instructions)
    query = runtime.encode_text(pair.instructions)
    mixture = _repeated(runtime.encode_audio(pair.mixture[None]), count)
    target = _repeated(runtime.encode_audio(pair.target[None]), count)
    predicted = runtime.predict(mixture, query)
    found = [
        Diagnosis("mixture", cosines=_cosines(target, mixture.s, mixture.g)),
        Diagnosis("predicted", cosines=_cosines(target, predicted.s, predicted.g)),
        Diagnosis("codec", [_resynthesis(runtime, pair, options)] * count),
        Diagnosis("true_s", _sounds(runtime, pair, options, target.s[:1]) * count),
    ]
    if runtime.two_stage:
        s = runtime.predict(mixture, query, target.g).s
        found.append(Diagnosis("true_g", _sounds(runtime, pair, options, s), _cosines(target, s)))
    return found


def _resynthesis(runtime: Runtime, pair: Pair, options: SeparateOptions) -> np.ndarray:
    tokens = runtime.encode_tokens(pair.target[None])
    return runtime.decode_tokens(tokens, len(pair.target), gate=options.silence_gate)[0]


def _sounds(
    runtime: Runtime, pair: Pair, options: SeparateOptions, s: np.ndarray
) -> list[np.ndarray]:
    """Sample and decode s [n, P, C] with the seed of the options -> n sounds [L]."""
    samples = len(pair.mixture)
    lengths = np.full(len(s), runtime.token_frames(samples), np.int32)
    seeds = np.full(len(s), options.seed, np.uint32)
    policy = options.policy(runtime.pipeline.sampling)
    tokens = runtime.sample(s, seeds, policy, lengths=lengths)
    audio = runtime.decode_tokens(tokens, samples, gate=options.silence_gate)
    if options.silence_gate:
        audio = audio * silence_gain(pair.mixture, runtime.sample_rate)
    return list(audio)


def _cosines(
    target: Semantics, s: np.ndarray, g: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Compare features with the target's: S patch by patch, then the mean; [n] each."""
    cosines = {"s_cosine": cosine_similarity(s, np.asarray(target.s)).mean(axis=1)}
    if g is not None:
        cosines["g_cosine"] = cosine_similarity(g, np.asarray(target.g))[:, 0]
    return cosines


def _repeated(semantics: Semantics, count: int) -> Any:
    return jax.tree.map(lambda x: np.repeat(np.asarray(x), count, axis=0), semantics)
