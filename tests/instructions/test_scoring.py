"""Scores of parsers: what is right, what is counted, which tables are refused."""

import warnings

import pytest

from hsmtss_jax.instructions.amounts import read_amount
from hsmtss_jax.instructions.instruction import Instruction, InstructionWarning
from hsmtss_jax.instructions.scoring import (
    Case,
    ParsedCase,
    canonical,
    read_cases,
    run,
    score,
)
from hsmtss_jax.instructions.spans import read_span

KEPT = Instruction("remove", "x")
CASES = [
    Case("remove the rain", "remove", "rain", "own/plain"),
    Case("no dogs", "remove", "dogs", "own/negation"),
    Case("birds", "extract", "birds", "paper"),
]


def parse(text: str) -> Instruction:
    if text == "birds":
        raise ValueError("no verb")
    return Instruction("remove", "the Rain", note="fell back" if text == "no dogs" else "")


def test_articles_case_and_quotes_do_not_count():
    assert canonical(' The "loud"  dog and a cat') == "loud dog and cat"
    assert ParsedCase(CASES[0], Instruction("remove", "the Rain")).correct
    wrong = ParsedCase(CASES[0], Instruction("extract", "rain"))
    assert not wrong.task_correct and not wrong.correct


def test_spans_and_amounts_count_where_they_are_given():
    found = Instruction("remove", "rain", spans=(read_span("2-4"),), amount=read_amount("6dB"))
    for spans, amount, right in [
        ("", "", True),
        ("0:02-0:04", "6dB", True),
        ("2-4", "", True),
        ("2-5", "6dB", False),
        ("", "100%", False),
    ]:
        case = Case("remove the rain", "remove", "rain", "own", spans, amount)
        assert ParsedCase(case, found).limits_correct == right
    assert ParsedCase(Case("x", "remove", "x", "own", "", "100%"), KEPT).limits_correct


def test_groups_are_counted_and_refusals_are_wrong():
    scores = score(run(parse, CASES))
    assert list(scores) == ["own", "paper", "all"]
    assert (scores["own"].count, scores["own"].task, scores["own"].both) == (2, 2, 1)
    assert (scores["paper"].count, scores["paper"].task) == (1, 0)
    assert (scores["all"].count, scores["all"].both, scores["all"].fell_back) == (3, 1, 1)
    assert scores["all"].limits == 1


@pytest.mark.filterwarnings("error")
def test_warnings_of_the_parser_are_not_shown():
    def warns(text: str) -> Instruction:
        warnings.warn(text, InstructionWarning, stacklevel=2)
        return Instruction("remove", "rain")

    assert run(warns, CASES)[0].correct


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("text,task,origin\n", "lacks the columns description"),
        ("text,task,description,origin\n", "holds no instruction"),
        ("text,task,description,origin\nx,mute,y,own\n", "row 1 needs a text, extract or remove"),
        ("text,task,description,origin\nx,remove,,own\n", "row 1 needs"),
    ],
)
def test_bad_tables_are_refused(tmp_path, text, says):
    (tmp_path / "cases.csv").write_text(text)
    with pytest.raises(ValueError, match=says):
        read_cases(tmp_path / "cases.csv")


def test_a_table_is_read(tmp_path):
    (tmp_path / "cases.csv").write_text(
        'origin,text,task,description\nown/x,"a, b",remove,b\n', encoding="utf-8"
    )
    (case,) = read_cases(tmp_path / "cases.csv")
    assert (case.text, case.group) == ("a, b", "own")
