"""Run routes over pairs for a command: the log, the progress, the report."""

import dataclasses
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsmtss_jax.cli.progress import counted, progress_bar
from hsmtss_jax.option import option

if TYPE_CHECKING:
    from hsmtss_jax.evaluation.pairs import Pair
    from hsmtss_jax.evaluation.routes import Route
    from hsmtss_jax.evaluation.scorers import Scorer
    from hsmtss_jax.metrics.tables import Report

NOT_SCORED = ("mode", "min_presence", "residual", "span", "amount")  # of SeparateOptions


@dataclasses.dataclass(frozen=True, kw_only=True)
class OthersOptions:
    """Declare separators that are not ours, a row each."""

    programs: tuple[str, ...] = option(
        (),
        "another program, run for every pair: '[NAME=]prog {mixture} {text} {out}'",
        repeat=True,
        metavar="CMD",
        flag="--command",
    )
    ceiling: bool = option(True, "a row of the ideal ratio mask")
    log: Path | None = option(
        None,
        "finished pairs, a line of JSON each: what is in it is not made again",
        metavar="JSONL",
    )


def other_routes(options: OthersOptions, *, mixtures: bool = True) -> "list[Route]":
    """Return the rows that frame a table and those of programs. Raises ValueError without mixtures."""
    from hsmtss_jax.evaluation.routes import IdealRatioMask, Mixture, ShellCommand, Target

    if options.programs and not mixtures:
        raise ValueError("--command needs mixtures to run on: give --mixtures")
    frame: list[Route] = [Target()]
    if mixtures:
        frame += [Mixture(), *([IdealRatioMask()] if options.ceiling else [])]
    return [*frame, *(ShellCommand(*_named(program)) for program in options.programs)]


def _named(program: str) -> tuple[str, str]:
    """Return the command of "NAME=prog ..." and its name; "" for one without."""
    found = re.fullmatch(r"([\w.-]+)=(.*)", program, re.DOTALL)
    return (found[2], found[1]) if found else (program, "")


def run_routes(
    routes: "Sequence[Route]",
    pairs: "Iterable[Pair]",
    judges: "Sequence[Scorer]",
    about: dict[str, Any],
    *,
    count: int,
    seed: int = 0,
    log: Path | None = None,
) -> "Report":
    """Make and score every pair; return the report.

    Args:
      systems: a row each.
      pairs: mixtures with their targets.
      judges: what scores beside the signal's metrics.
      about: how the report was made.
      count: number of pairs.
      seed: of the systems.
      log: a file of finished pairs to go on from, or None.
    """
    from hsmtss_jax.evaluation.judging import Log, judge
    from hsmtss_jax.evaluation.scorers import SignalMetrics
    from hsmtss_jax.evaluation.scores import describe_columns, missing_notes, report

    scorers = [SignalMetrics(), *judges]
    columns = [column for scorer in scorers for column in scorer.columns]
    about = {
        **about,
        "seed": seed,
        "routes": [route.name for route in routes],
        **describe_columns(columns),
    }
    with progress_bar(count, unit="pair") as progress:
        pairs = counted(pairs, count, progress)
        if log is None:
            scores = list(judge(routes, pairs, scorers, seed=seed))
        else:
            with Log(log, about) as opened:
                scores = list(judge(routes, pairs, scorers, seed=seed, log=opened))
    return report(scores, about, columns, missing_notes(columns))
