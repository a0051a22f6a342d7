"""The table of languages holds together."""

import re

import pytest

from hsmtss_jax.instructions.languages import languages
from hsmtss_jax.task import TASKS

HALVES = {"first half", "second half"}
LANGUAGES = {language.name: language for language in languages().others}


def test_the_common_core_is_there():
    core = {"German", "French", "Spanish", "Italian", "Portuguese", "Chinese", "Japanese"}
    assert core == {name for name, language in LANGUAGES.items() if language.frames}
    assert languages().named("German") is LANGUAGES["German"]
    with pytest.raises(KeyError):
        languages().named("English")


@pytest.mark.parametrize("name", LANGUAGES)
def test_patterns_compile_and_name_their_target(name):
    language = LANGUAGES[name]
    for task, pattern in language.frames:
        assert task in TASKS and pattern.count("{X}") == 1
        assert re.compile(pattern.replace("{X}", "(?P<x>.+?)"))
    patterns = (language.lead, language.tail, language.negation, language.rest, language.joint)
    for pattern in (*patterns, language.lower, language.little):
        assert not re.compile(pattern).fullmatch("")


@pytest.mark.parametrize("name", LANGUAGES)
def test_words_are_strong_or_weak_and_not_english(name):
    language = LANGUAGES[name]
    assert not language.strong & language.weak
    assert not language.strong & languages().english


@pytest.mark.parametrize("name", [name for name, each in LANGUAGES.items() if each.frames])
def test_the_core_reads_times_and_levels(name):
    language = LANGUAGES[name]
    kinds = {form.kind for form in language.spans}
    assert {"range", "from", "until", "first half", "second half"} <= kinds
    for form in language.spans:
        filled = form.pattern.replace("{A}", "7").replace("{B}", "9")
        assert re.compile(filled) and (
            "{A}" in form.pattern or form.kind in HALVES | {"head", "tail"}
        )
    assert not re.search(language.lower, "") and not re.search(language.little, "")
