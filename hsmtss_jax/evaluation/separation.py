"""The system on held-out pairs, as it ships (HSM-TSS section V, Table II).

A route is one way to an estimate of the target. Rows named after the system go through ``Separator``,
a mode each; "mixture" is the input; the diagnostic rows say what each stage loses; "baseline" is any
other bundle. Each pair is scored for both tasks, on its own length.

Legend: L samples.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from hsmtss_jax.data.mixing import MixtureExample
from hsmtss_jax.evaluation.diagnostics import diagnose
from hsmtss_jax.evaluation.judging import score_sounds
from hsmtss_jax.evaluation.pairs import Pair, pair_of
from hsmtss_jax.evaluation.paper_tables import PaperTable, paper_table
from hsmtss_jax.evaluation.routes import Mixture, Route, SeparatorMode, Target
from hsmtss_jax.evaluation.scorers import Scorer, SignalMetrics
from hsmtss_jax.evaluation.scores import PairScore, missing_notes, report
from hsmtss_jax.inference.options import Mode, SeparateOptions
from hsmtss_jax.inference.runtime import Runtime
from hsmtss_jax.inference.separator import Separator
from hsmtss_jax.metrics.tables import Report


def evaluate_separation(
    separator: Separator,
    examples: Iterable[MixtureExample],
    *,
    modes: Sequence[Mode] = ("mask",),
    options: SeparateOptions | None = None,
    diagnostics: Runtime | None = None,
    baseline: Separator | None = None,
    groups: Mapping[str, str] | None = None,
    judges: Sequence[Scorer] = (),
    paper: PaperTable | None = None,
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
      baseline: another separator to score on the same pairs, as it ships.
      groups: clip id -> recording; whole recordings are drawn in the bootstrap. None: pairs are.
      judges: further scorers; with one that embeds sounds, the target itself is a row, and sets are compared.
      paper: number of a table of the paper to add, with its printed numbers.
      about: what to keep in the report about the examples.
    """
    options = options or SeparateOptions()
    scorers = [SignalMetrics(), *judges]
    scores: list[PairScore] = []
    for index, example in enumerate(examples):
        pair = pair_of(index, example, (groups or {}).get(example.recipe.target, ""))
        here = dataclasses.replace(options, seed=options.seed + index)
        scores += _pair_scores(separator, pair, modes, here, diagnostics, baseline, scorers)
    if not scores:
        raise ValueError("there is no mixture to separate")
    made = {"modes": list(modes), "options": dataclasses.asdict(options)}
    columns = [column for scorer in scorers for column in scorer.columns]
    found = report(scores, {**(about or {}), **made}, columns, missing_notes(columns))
    added = [paper_table(paper, scores)] if paper else []
    return dataclasses.replace(found, tables=[*found.tables, *added])


def _pair_scores(
    separator: Separator,
    pair: Pair,
    modes: Sequence[Mode],
    options: SeparateOptions,
    diagnostics: Runtime | None,
    baseline: Separator | None,
    scorers: Sequence[Scorer],
) -> list[PairScore]:
    """Score one pair by every route."""
    features: dict[str, dict[str, np.ndarray]] = {}
    routes: list[Route] = [Mixture(), *([Target()] if len(scorers) > 1 else [])]
    sounds = {route.name: list(route(pair, options.seed)) for route in routes}
    if diagnostics is not None:
        for found in diagnose(diagnostics, pair, options):
            features[found.route] = found.cosines
            sounds |= {found.route: found.audio} if found.audio else {}
    for mode in modes:
        separate = SeparatorMode(separator, dataclasses.replace(options, mode=mode))
        sounds[mode] = separate(pair, options.seed)
    if baseline is not None:
        separate = SeparatorMode(baseline, SeparateOptions(mode=baseline.modes[0]), "baseline")
        sounds["baseline"] = separate(pair, options.seed)
    return _with_cosines(score_sounds(sounds, pair, scorers), features, pair)


def _with_cosines(
    scores: Sequence[PairScore], features: Mapping[str, Mapping[str, np.ndarray]], pair: Pair
) -> list[PairScore]:
    """Add the cosines of routes that have features, also of those without a sound."""
    by_key = {(score.route, score.task): score for score in scores}
    for route, cosines in features.items():
        for i, instruction in enumerate(pair.instructions):
            key = (route, str(instruction.task))
            empty = PairScore(
                index=pair.index,
                task=str(instruction.task),
                route=route,
                text=instruction.description,
                group=pair.group,
                snr_db=pair.snr_db,
                values={},
            )
            score = by_key.get(key, empty)
            values = {name: float(x[i]) for name, x in cosines.items()}
            by_key[key] = dataclasses.replace(score, values={**score.values, **values})
    return list(by_key.values())
