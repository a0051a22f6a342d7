"""Parsers by name, and what is said about options that do not fit."""

import pytest

from hsmtss_jax.instructions import Instruction, parser
from hsmtss_jax.instructions.parsers import PARSERS


def test_every_name_is_a_parser():
    given = {"local": {"generate": lambda messages: "no"}}
    given |= {"endpoint": {"url": "http://localhost:1/v1", "model": "m"}}
    for name in PARSERS:
        assert callable(parser(name, **given.get(name, {})))


def test_a_language_model_s_answer_says_whose_it_is():
    answer = '{"task": "extract", "description": "the rain"}'
    found = parser("local", generate=lambda messages: answer)("keep the rain")
    assert found == Instruction("extract", "the rain") and found.source == "local"


def test_parser_by_name(monkeypatch):
    for variable in ("URL", "MODEL", "KEY"):
        monkeypatch.delenv(f"HSMTSS_LLM_{variable}", raising=False)
    assert parser()("mute the cow") == Instruction("remove", "cow")
    with pytest.raises(ValueError, match="choose one of rules, local, endpoint"):
        parser("oracle")
    with pytest.raises(ValueError, match="unexpected keyword argument 'model'"):
        parser("rules", model="x")
    with pytest.raises(ValueError, match="needs a model"):
        parser("local")
    with pytest.raises(ValueError, match="HSMTSS_LLM_URL"):
        parser("endpoint")
    with pytest.raises(ValueError, match="HSMTSS_LLM_MODEL"):
        parser("endpoint", url="http://localhost:1/v1")
    with pytest.raises(ValueError, match="http or https"):
        parser("endpoint", url="file:///etc/passwd", model="m")
