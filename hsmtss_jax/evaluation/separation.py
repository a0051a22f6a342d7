"""The system on held-out mixtures, and what each of its stages loses (paper section V).

A route is one way to an estimate of the target: the mixture as it is, the codec's resynthesis of the
target (the ceiling), the whole system in both modes, the generated sound with one stage's output
swapped for the truth, and a mask baseline. A route that the pipeline or the caller lacks is left out.

Legend: B mixtures, L samples, P patches, C widths.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from hsmtss_jax.audio.masking import apply_mask, mask_gains
from hsmtss_jax.audio.silence import silence_gain
from hsmtss_jax.data.mixing import MixtureExample
from hsmtss_jax.evaluation.mask_baseline import MaskBaseline
from hsmtss_jax.inference.runtime import Runtime
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.metrics import cosine_similarity, lsd, lsd_active, mel_psnr
from hsmtss_jax.sampling.policies import Policy
from hsmtss_jax.task import TASKS, Task

ROUTES = ("mixture", "codec", "true_s", "true_g", "generated", "system", "baseline")
ROUTE_NAMES = {
    "mixture": "mixture, unprocessed",
    "codec": "codec resynthesis of the target (ceiling)",
    "true_s": "decoder from the target's S",
    "true_g": "local separator given the target's G",
    "generated": "the system, --mode generate",
    "system": "the system, --mode mask (the default)",
    "baseline": "the mask baseline",
}


@dataclasses.dataclass(frozen=True)
class Row:
    """One mixture by one route. values: metric -> number (NaN where it is not defined)."""

    index: int
    task: str
    route: str
    text: str
    snr_db: float
    values: dict[str, float]


def evaluate(
    system: Runtime,
    examples: Sequence[MixtureExample],
    *,
    policy: Policy,
    seed: int = 0,
    batch: int = 16,
    baseline: MaskBaseline | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Row]:
    """Rows of every example by every route; examples are as long as the system's window."""
    for start in range(0, len(examples), batch):
        part = list(examples[start : start + batch])
        full = part + [part[-1]] * (batch - len(part))  # one static shape
        seeds = (seed + start + np.arange(batch)).astype(np.uint32)
        yield from _rows(system, full, start, len(part), policy, seeds, baseline)
        if progress:
            progress(min(start + batch, len(examples)), len(examples))


def _rows(
    system: Runtime,
    examples: Sequence[MixtureExample],
    start: int,
    count: int,
    policy: Policy,
    seeds: np.ndarray,
    baseline: MaskBaseline | None,
) -> Iterator[Row]:
    mixture = np.stack([example.mixture for example in examples])
    target = np.stack([example.target for example in examples])
    estimates, semantics = _estimates(system, examples, mixture, target, policy, seeds)
    if baseline:
        recipes = [example.recipe for example in examples]
        asked = [TASKS[recipe.task] for recipe in recipes], [recipe.text for recipe in recipes]
        estimates["baseline"] = baseline.separate(mixture, *asked, system.max_text)
    for route in (route for route in ROUTES if route in estimates):
        for i in range(count):
            estimate, reference = estimates[route][i], target[i]
            values = {
                "mel_psnr": float(mel_psnr(estimate, reference)),
                "lsd": float(lsd(estimate, reference)),
                "lsd_active": float(lsd_active(estimate, reference)),
            }
            values |= {name: float(value[i]) for name, value in semantics.get(route, {}).items()}
            recipe = examples[i].recipe
            task = TASKS[recipe.task]
            yield Row(start + i, task, route, recipe.text, examples[i].snr, values)


def _estimates(
    system: Runtime,
    examples: Sequence[MixtureExample],
    mixture: np.ndarray,
    target: np.ndarray,
    policy: Policy,
    seeds: np.ndarray,
) -> tuple[dict[str, np.ndarray], dict[str, dict[str, np.ndarray]]]:
    """(route -> waveforms [B, L], route -> cosines of its S and G to the target's [B])."""
    recipes = [example.recipe for example in examples]
    asked = [Instruction(Task(TASKS[each.task]), each.text) for each in recipes]
    query = system.encode_text(asked)
    opposite = system.encode_text([each.opposite for each in asked])
    heard, wanted = system.encode_audio(mixture), system.encode_audio(target)
    found = system.predict(heard, query)
    s_by_route = {"mixture": heard.s, "true_s": wanted.s, "generated": found.s}
    if system.two_stage:
        s_by_route["true_g"] = system.predict(heard, query, wanted.g).s
    g_by_route = {"mixture": heard.g, "true_s": wanted.g, "true_g": wanted.g, "generated": found.g}
    tokens = {"codec": system.encode_tokens(target)}
    to_sample = s_by_route | {"opposite": system.predict(heard, opposite).s}
    for route in [route for route in to_sample if route != "mixture"]:
        tokens[route] = system.sample(to_sample[route], seeds, policy)
    length = mixture.shape[1]
    waves = {route: system.decode_tokens(value, length) for route, value in tokens.items()}
    gain = silence_gain(mixture, system.sample_rate)
    waves = {route: x if route == "codec" else x * gain for route, x in waves.items()}
    sounds = zip(mixture, waves["generated"], waves.pop("opposite"), strict=True)
    waves["system"] = np.stack([_masked(*each, system.sample_rate) for each in sounds])
    cosines = {
        route: {
            "s_cosine": cosine_similarity(np.asarray(s), np.asarray(wanted.s)).mean(axis=1),
            "g_cosine": cosine_similarity(np.asarray(g_by_route[route]), np.asarray(wanted.g))[
                :, 0
            ],
        }
        for route, s in s_by_route.items()
    }
    cosines["system"] = cosines["generated"]
    return {"mixture": mixture, **waves}, cosines


def _masked(
    mixture: np.ndarray, generated: np.ndarray, opposite: np.ndarray, sample_rate: int
) -> np.ndarray:
    """What the mask leaves of a mixture, all [L]."""
    gains = mask_gains(mixture, generated, opposite)
    return apply_mask(mixture[:, None], sample_rate, gains)[:, 0]
