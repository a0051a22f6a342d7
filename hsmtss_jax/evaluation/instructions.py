"""Report how often the parsers understand a table of sentences."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from hsmtss_jax.instructions.scoring import ParsedCase, ParseScore, score
from hsmtss_jax.metrics.tables import Column, Report, Row, Table

COLUMNS = (
    Column("group", "cases"),
    Column("count", "", decimals=0),
    Column("task", "task"),
    Column("both", "and description"),
    Column("limits", "and times and amounts"),
    Column("fell_back", "fell back to the rules", decimals=0),
)


def report(parsed: Mapping[str, Sequence[ParsedCase]], about: Mapping[str, Any]) -> Report:
    """Score every parser by group of cases. parsed: parser -> its cases, in the order of the table."""
    rows = [
        Row(name, _cells(group, part), key=f"{name}, {group}")
        for name, cases in parsed.items()
        for group, part in score(cases).items()
    ]
    table = Table(COLUMNS, rows, corner="parser")
    return Report(
        tables=[table],
        about=about,
        rows={name: [_case(each) for each in cases] for name, cases in parsed.items()},
    )


def _cells(group: str, part: ParseScore) -> dict[str, Any]:
    shares = {name: _share(getattr(part, name), part.count) for name in ("task", "both", "limits")}
    return {"group": group, "count": part.count, "fell_back": part.fell_back, **shares}


def _share(correct: int, count: int) -> str:
    return f"{correct} ({100 * correct / count:.1f} %)"


def _case(parsed: ParsedCase) -> dict[str, Any]:
    found = parsed.found.as_dict() if parsed.found else None
    return {**dataclasses.asdict(parsed.case), "found": found, "correct": parsed.correct}
