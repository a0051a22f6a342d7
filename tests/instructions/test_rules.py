"""The rule parser: a table of real sentences, the templates, and what must not happen."""

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsmtss_jax.instructions import TEMPLATES, Instruction, parse, queries, render

ROWS = (Path(__file__).parent / "cases.csv").read_text(encoding="utf-8").splitlines()
CASES = list(csv.DictReader(ROWS))
OWN = [case for case in CASES if case["origin"] != "heldout"]


@pytest.mark.parametrize("case", OWN, ids=[case["text"] for case in OWN])
def test_case(case):
    assert parse(case["text"]) == Instruction(case["task"], case["description"])


def test_there_are_enough_cases():
    assert len(CASES) >= 120 and len({case["text"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("text", ["", "   ", "\n", "?!", '""', "..."])
def test_empty(text):
    with pytest.raises(ValueError, match="empty"):
        parse(text)


ACTORS = ["a dog", "a loud train horn", "someone", "a woman", "birds", "rain", "an engine", "TV"]
ACTIONS = [
    "barking",
    "speaks in Italian",
    "revs and stops",
    "is mining with a pickaxe",
    "drops a cup",
]
PLACES = ["", " in the distance", " close to a stream", " on a wooden floor", " (reversed)"]
JOINS = ["", " and a cat meows", ", wind and thunder", " while music plays", " 3 times"]
descriptions = st.builds(
    "{} {}{}{}".format,
    *(st.sampled_from(words) for words in (ACTORS, ACTIONS, PLACES, JOINS)),
)


@settings(max_examples=150, deadline=None)
@given(descriptions, st.sampled_from(["extract", "remove"]))
def test_templates_are_understood(description, task):
    for query in queries(task, description):
        assert parse(query) == Instruction(task, description)
        assert parse(query.upper()).task == task


@settings(max_examples=100, deadline=None)
@given(descriptions)
def test_a_description_alone_is_extracted_whole(description):
    assert parse(description) == Instruction("extract", description)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_gives_its_own_words_or_a_clear_error(text):
    if not any(character.isalnum() for character in text):
        with pytest.raises(ValueError, match="empty"):
            parse(text)
    else:
        assert any(character.isalnum() for character in parse(text).description)


WORDS = [
    "remove",
    "keep",
    "everything",
    "but",
    "the",
    "it",
    "please",
    "and",
    "not",
    ",",
    ".",
    "dog",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=10))
def test_word_salad_is_survived(words):
    text = " ".join(words)
    if any(word.isalpha() for word in words):
        assert parse(text).task in TEMPLATES


def test_long_texts():
    text = "remove dog number {}, ".format
    instruction = parse("".join(text(i) for i in range(40)))
    assert instruction.task == "remove" and instruction.description.endswith("and dog number 39")
    with pytest.raises(ValueError, match="2000 characters"):
        parse("dog " * 501)


def test_render():
    assert render("remove", "rain") == "Remove: rain"
    assert len(queries("extract", "rain")) == len(TEMPLATES["extract"])
    with pytest.raises(ValueError, match="unknown task"):
        render("mute", "rain")
    with pytest.raises(ValueError, match="unknown task"):
        queries("mute", "rain")
