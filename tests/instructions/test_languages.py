"""The table of languages holds together."""

import re

import pytest

from hsmtss_jax.instructions.languages import languages
from hsmtss_jax.task import TASKS

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
    for pattern in (language.lead, language.tail, language.negation, language.rest, language.joint):
        assert not re.compile(pattern).fullmatch("")


@pytest.mark.parametrize("name", LANGUAGES)
def test_words_are_strong_or_weak_and_not_english(name):
    language = LANGUAGES[name]
    assert not language.strong & language.weak
    assert not language.strong & languages().english
