"""The report on parsers of instructions: a row for each parser and group of cases."""

import json

from hsmtss_jax.evaluation.instructions import report
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.instructions.scoring import Case, ParsedCase

RAIN = Case("remove the rain", "remove", "rain", "own/verbs")
DOG = Case("the dog, please", "extract", "a dog", "demo")


def test_a_row_for_each_parser_and_group():
    parsed = {
        "rules": [
            ParsedCase(RAIN, Instruction("remove", "Rain")),
            ParsedCase(DOG, Instruction("extract", "a cat")),
        ],
        "model": [ParsedCase(RAIN, None), ParsedCase(DOG, Instruction("extract", "dog", note="x"))],
    }
    found = report(parsed, {"cases": "a table"})
    table = found.table()
    assert "| rules | own | 1 | 1 (100.0 %) | 1 (100.0 %) | 1 (100.0 %) | 0 |" in table
    assert "| rules | all | 2 | 2 (100.0 %) | 1 (50.0 %) | 1 (50.0 %) | 0 |" in table
    assert "| model | all | 2 | 1 (50.0 %) | 1 (50.0 %) | 1 (50.0 %) | 1 |" in table
    document = json.loads(json.dumps(found.to_json()))
    assert document["about"] == {"cases": "a table"}
    assert list(document["summary"])[:3] == ["rules, own", "rules, demo", "rules, all"]
    rows = document["rows"]
    assert [row["correct"] for row in rows["rules"]] == [True, False]
    assert rows["model"][0]["found"] is None and rows["model"][1]["found"]["description"] == "dog"
    assert rows["rules"][0]["text"] == "remove the rain"
