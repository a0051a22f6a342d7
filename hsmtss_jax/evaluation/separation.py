"""The system on held-out pairs, as it ships (HSM-TSS section V, Table II).

A route is one way to an estimate of the target. Rows named after the system go through ``Separator``,
a mode each; "mixture" is the input; the diagnostic rows say what each stage loses; "baseline" is a mask
separator. Each pair is scored for both tasks, on its own length.

Legend: L samples.
"""

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from hsmtss_jax.data.mixing import MixtureExample
from hsmtss_jax.evaluation.diagnostics import diagnose
from hsmtss_jax.evaluation.mask_baseline import MaskBaseline
from hsmtss_jax.evaluation.pairs import Pair, pair_of
from hsmtss_jax.evaluation.scores import PairScore, report
from hsmtss_jax.inference.options import Failed, Mode, SeparateOptions
from hsmtss_jax.inference.runtime import Runtime
from hsmtss_jax.inference.separator import Separator
from hsmtss_jax.metrics import lsd, mel_psnr, sdr, sdri, si_sdr, si_sdri
from hsmtss_jax.metrics.spectral import frame_distance
from hsmtss_jax.metrics.tables import Report

VOCODER_LAG = 1120  # samples that audioldm_eval drops from the estimate's start

Estimate = tuple[str, list[np.ndarray]]  # route, a sound [L] an instruction


def evaluate_separation(
    separator: Separator,
    examples: Iterable[MixtureExample],
    *,
    modes: Sequence[Mode] = ("mask",),
    options: SeparateOptions | None = None,
    diagnostics: Runtime | None = None,
    baseline: MaskBaseline | None = None,
    groups: Mapping[str, str] | None = None,
    about: Mapping[str, Any] | None = None,
) -> Report:
    """Score the system on mixtures, both tasks of each; one mixture is in memory at a time.

    Args:
      separator: what is measured.
      examples: mixtures with their targets.
      modes: the modes to measure, a row each.
      options: all else of the separation, as it ships by default; pair i is drawn with seed + i.
        ``silence_gate=False`` makes the numbers that stand beside the paper's.
      diagnostics: the parts to make the diagnostic rows with; None leaves them out.
      baseline: a mask separator to score on the same pairs.
      groups: clip id -> recording; whole recordings are drawn in the bootstrap. None: pairs are.
      about: what to keep in the report about the examples.
    """
    options = options or SeparateOptions()
    scores: list[PairScore] = []
    for index, example in enumerate(examples):
        pair = pair_of(index, example, (groups or {}).get(example.recipe.target, ""))
        here = dataclasses.replace(options, seed=options.seed + index)
        scores += _pair_scores(separator, pair, modes, here, diagnostics, baseline)
    if not scores:
        raise ValueError("there is no mixture to separate")
    made = {"modes": list(modes), "options": dataclasses.asdict(options)}
    return report(scores, {**(about or {}), **made})


def separate_pair(separator: Separator, pair: Pair, options: SeparateOptions) -> list[np.ndarray]:
    """Separate a pair's mixture by each of its instructions: one sound [L] each."""
    found = separator.separate_many(
        [pair.mixture], pair.instructions, sample_rate=separator.sample_rate, options=options
    )
    results = next(iter(found))  # none has failed: errors are raised
    return [result.target[:, 0] for result in results if not isinstance(result, Failed)]


def score_estimate(estimate: np.ndarray, pair: Pair) -> dict[str, float]:
    """Compare an estimate [L] with the pair's target: metric -> number."""
    mixture, target = pair.mixture, pair.target
    frames = frame_distance(estimate, target)
    long_enough = len(target) > VOCODER_LAG
    values = {
        "mel_psnr": mel_psnr(estimate, target),
        "lsd": frames.mean(),
        "lsd_1120": lsd(estimate, target, VOCODER_LAG) if long_enough else math.nan,
        "lsd_active": frames.active_mean(),
        "sdr": sdr(estimate, target),
        "sdri": sdri(estimate, mixture, target),
        "si_sdr": si_sdr(estimate, target),
        "si_sdri": si_sdri(estimate, mixture, target),
    }
    return {name: float(value) for name, value in values.items()}


def _pair_scores(
    separator: Separator,
    pair: Pair,
    modes: Sequence[Mode],
    options: SeparateOptions,
    diagnostics: Runtime | None,
    baseline: MaskBaseline | None,
) -> Iterator[PairScore]:
    """Yield the scores of one pair by every route."""
    features: dict[str, dict[str, np.ndarray]] = {}
    sounds: list[Estimate] = [("mixture", [pair.mixture] * len(pair.instructions))]
    if diagnostics is not None:
        for found in diagnose(diagnostics, pair, options):
            features[found.route] = found.cosines
            sounds += [(found.route, found.audio)] if found.audio else []
    sounds += _system_estimates(separator, pair, modes, options)
    if baseline is not None:
        sounds.append(("baseline", list(_baseline_sounds(baseline, pair))))
    by_route = {route: _scored(audio, pair) for route, audio in sounds}
    for route in dict.fromkeys([*by_route, *features]):
        for i, instruction in enumerate(pair.instructions):
            values = by_route[route][i] if route in by_route else {}
            cosines = {name: float(x[i]) for name, x in features.get(route, {}).items()}
            yield PairScore(
                index=pair.index,
                task=str(instruction.task),
                route=route,
                text=instruction.description,
                group=pair.group,
                snr_db=pair.snr_db,
                values={**values, **cosines},
            )


def _scored(sounds: Sequence[np.ndarray], pair: Pair) -> list[dict[str, float]]:
    """Score a sound an instruction; one that does not depend on the instruction is scored once."""
    different = {id(sound): sound for sound in sounds}
    values = {key: score_estimate(sound, pair) for key, sound in different.items()}
    return [values[id(sound)] for sound in sounds]


def _system_estimates(
    separator: Separator, pair: Pair, modes: Sequence[Mode], options: SeparateOptions
) -> Iterator[Estimate]:
    for mode in modes:
        chosen = dataclasses.replace(options, mode=mode, residual=False)
        yield mode, separate_pair(separator, pair, chosen)


def _baseline_sounds(baseline: MaskBaseline, pair: Pair) -> np.ndarray:
    mixtures = np.stack([pair.mixture] * len(pair.instructions))
    return baseline.separate(mixtures, pair.instructions)
