"""Score instruction parsers on a table of sentences.

A table is a CSV file with the columns text, task, description, origin and, where they are judged, spans
("0:02-0:04;0:10-end") and amount ("6dB"). Scores are reported by group: the part of the origin before the
slash, as in "own/negation".
"""

import csv
import dataclasses
import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from importlib import resources
from pathlib import Path

from hsmtss_jax.instructions.amounts import WHOLE, read_amount
from hsmtss_jax.instructions.instruction import Instruction, InstructionWarning
from hsmtss_jax.instructions.spans import read_span
from hsmtss_jax.task import TASKS

COLUMNS = ("text", "task", "description", "origin")
_ARTICLES = frozenset({"a", "an", "the"})


@dataclasses.dataclass(frozen=True)
class Case:
    """Store a sentence, what it is expected to be read as, and its origin; "" is not judged."""

    text: str
    task: str
    description: str
    origin: str
    spans: str = ""
    amount: str = ""

    @property
    def group(self) -> str:
        """Return the origin up to the slash."""
        return self.origin.partition("/")[0]


@dataclasses.dataclass(frozen=True)
class ParsedCase:
    """Pair a case with the parser's instruction; None where the parser raised ValueError."""

    case: Case
    found: Instruction | None

    @property
    def task_correct(self) -> bool:
        """Return whether the task is the expected one."""
        return self.found is not None and self.found.task == self.case.task

    @property
    def correct(self) -> bool:
        """Return whether task and description match, up to articles, case and quotes."""
        return (
            self.found is not None
            and self.task_correct
            and canonical(self.found.description) == canonical(self.case.description)
        )

    @property
    def limits_correct(self) -> bool:
        """Return whether the spans and the amount match, where they are judged."""
        if self.found is None:
            return False
        spans, amount = self.case.spans, self.case.amount
        wanted = [str(read_span(each)) for each in spans.split(";")] if spans else []
        right = not spans or wanted == [*map(str, self.found.spans)]
        return right and (not amount or str(read_amount(amount)) == str(self.found.amount or WHOLE))


@dataclasses.dataclass(frozen=True)
class ParseScore:
    """Count the cases, correct tasks, with descriptions (both), with limits as well, and fall-backs."""

    count: int
    task: int
    both: int
    limits: int
    fell_back: int


def cases_file() -> Path:
    """Return the path of the package's own table."""
    return Path(str(resources.files("hsmtss_jax") / "assets" / "instructions" / "cases.csv"))


def read_cases(path: str | os.PathLike[str]) -> list[Case]:
    """Read the cases of a CSV file. ValueError: a column is missing or a task is unknown."""
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        missing = set(COLUMNS) - set(reader.fieldnames or ())
        if missing:
            raise ValueError(f"{path} lacks the columns {', '.join(sorted(missing))}")
        names = [field.name for field in dataclasses.fields(Case)]
        cases = [Case(*(row.get(name) or "" for name in names)) for row in reader]
    for number, case in enumerate(cases, 1):
        if case.task not in TASKS or not case.text or not case.description:
            raise ValueError(f"{path}: row {number} needs a text, extract or remove, a description")
    if not cases:
        raise ValueError(f"{path} holds no instruction")
    return cases


def canonical(description: str) -> str:
    """Return the description in lower case, without articles and double quotes."""
    words = description.lower().replace('"', " ").split()
    return " ".join(word for word in words if word not in _ARTICLES)


def run(parse: Callable[[str], Instruction], cases: Iterable[Case]) -> list[ParsedCase]:
    """Parse every case without warnings; a ValueError counts as an incorrect answer."""
    parsed = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InstructionWarning)
        for case in cases:
            try:
                parsed.append(ParsedCase(case, parse(case.text)))
            except ValueError:
                parsed.append(ParsedCase(case, None))
    return parsed


def score(parsed: Sequence[ParsedCase]) -> dict[str, ParseScore]:
    """Return group -> score in the order of the table, "all" last."""
    groups = list(dict.fromkeys(outcome.case.group for outcome in parsed))
    parts = {name: [o for o in parsed if o.case.group == name] for name in groups}
    return {name: _score(part) for name, part in {**parts, "all": parsed}.items()}


def _score(parsed: Sequence[ParsedCase]) -> ParseScore:
    return ParseScore(
        count=len(parsed),
        task=sum(outcome.task_correct for outcome in parsed),
        both=sum(outcome.correct for outcome in parsed),
        limits=sum(outcome.correct and outcome.limits_correct for outcome in parsed),
        fell_back=sum(bool(outcome.found and outcome.found.note) for outcome in parsed),
    )
