"""How well a parser does on a table of instructions.

A table is a CSV file with the columns text, task, description, origin. Of an origin such as
"own/negation" the part before the slash is the group that is reported.
"""

import csv
import dataclasses
import os
from collections.abc import Callable, Iterable, Sequence
from importlib import resources
from pathlib import Path

from hsmtss_jax.instructions.instruction import Instruction
from hsmtss_jax.task import TASKS

COLUMNS = ("text", "task", "description", "origin")
_ARTICLES = frozenset({"a", "an", "the"})


@dataclasses.dataclass(frozen=True)
class Case:
    """A sentence, what it asks for, and where it is from."""

    text: str
    task: str
    description: str
    origin: str

    @property
    def group(self) -> str:
        """The origin up to the slash."""
        return self.origin.partition("/")[0]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """A case and what the parser made of it; None where it refused the text."""

    case: Case
    found: Instruction | None

    @property
    def task_right(self) -> bool:
        """Whether the task is the expected one."""
        return self.found is not None and self.found.task == self.case.task

    @property
    def right(self) -> bool:
        """Whether task and description are, up to articles, case and quotes."""
        return (
            self.found is not None
            and self.task_right
            and canonical(self.found.description) == canonical(self.case.description)
        )


@dataclasses.dataclass(frozen=True)
class Score:
    """count cases; in how many the task, and task and description, were right; fell_back to the rules."""

    count: int
    task: int
    both: int
    fell_back: int


def cases_file() -> Path:
    """Return the path of the package's own table."""
    return Path(str(resources.files("hsmtss_jax") / "assets" / "instructions" / "cases.csv"))


def read_cases(path: str | os.PathLike[str]) -> list[Case]:
    """The cases of a CSV file. ValueError for a column that is missing or a task that is unknown."""
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        missing = set(COLUMNS) - set(reader.fieldnames or ())
        if missing:
            raise ValueError(f"{path} lacks the columns {', '.join(sorted(missing))}")
        cases = [Case(*(row[name] or "" for name in COLUMNS)) for row in reader]
    for number, case in enumerate(cases, 1):
        if case.task not in TASKS or not case.text or not case.description:
            raise ValueError(f"{path}: row {number} needs a text, extract or remove, a description")
    if not cases:
        raise ValueError(f"{path} holds no instruction")
    return cases


def canonical(description: str) -> str:
    """Lower case, without articles and double quotes, single spaces."""
    words = description.lower().replace('"', " ").split()
    return " ".join(word for word in words if word not in _ARTICLES)


def run(parse: Callable[[str], Instruction], cases: Iterable[Case]) -> list[Outcome]:
    """What ``parse`` makes of every case; a ValueError counts as a wrong answer."""
    outcomes = []
    for case in cases:
        try:
            outcomes.append(Outcome(case, parse(case.text)))
        except ValueError:
            outcomes.append(Outcome(case, None))
    return outcomes


def score(outcomes: Sequence[Outcome]) -> dict[str, Score]:
    """Group -> score, in the order of the table; "all" is last."""
    groups = list(dict.fromkeys(outcome.case.group for outcome in outcomes))
    parts = {name: [o for o in outcomes if o.case.group == name] for name in groups}
    return {name: _score(part) for name, part in {**parts, "all": outcomes}.items()}


def _score(outcomes: Sequence[Outcome]) -> Score:
    return Score(
        count=len(outcomes),
        task=sum(outcome.task_right for outcome in outcomes),
        both=sum(outcome.right for outcome in outcomes),
        fell_back=sum(bool(outcome.found and outcome.found.note) for outcome in outcomes),
    )


def to_markdown(scores: dict[str, dict[str, Score]]) -> str:
    """A table: a row a parser and group. ``scores``: parser -> group -> score."""
    lines = ["| parser | cases | | task | task and description | fell back to the rules |"]
    lines.append("|---|---|---|---|---|---|")
    for name, groups in scores.items():
        for group, part in groups.items():
            cells = (_share(part.task, part.count), _share(part.both, part.count))
            lines.append(
                f"| {name} | {group} | {part.count} | {' | '.join(cells)} | {part.fell_back} |"
            )
    return "\n".join([*lines, ""])


def _share(right: int, count: int) -> str:
    return f"{right} ({100 * right / count:.1f} %)"
