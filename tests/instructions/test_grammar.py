"""The word lists and the table of frames hold together."""

import re

import pytest

from hsmtss_jax.instructions.grammar import (
    FRAMES,
    INFLECTED,
    TYPO_VERBS,
    WORDS,
    compiled,
    gerund,
    past,
    words,
)
from hsmtss_jax.task import TASKS


def test_inflections():
    forms = {"remove": ("removing", "removed"), "get rid of": ("getting rid of", "got rid of")}
    forms |= {"cut": ("cutting", "cut"), "keep": ("keeping", "kept")}
    forms |= {"drop": ("dropping", "dropped"), "mute": ("muting", "muted")}
    for verb, (ing, ed) in forms.items():
        assert (gerund(verb), past(verb)) == (ing, ed)


@pytest.mark.parametrize("name", WORDS)
def test_lists_are_lists_of_patterns_without_repetitions(name):
    entries = words(name)
    assert all(entries) and len(set(entries)) == len(entries)
    named = {found for entry in entries for found in re.findall(r"\{([A-Z_]+)\}", entry)}
    assert named <= set(WORDS), "they name lists that there are"
    compiled("{" + name + "}")


def test_no_verb_asks_for_both_tasks():
    extract, remove = ({*words(name), *words(f"{name}_PHRASE")} for name in ("EXTRACT", "REMOVE"))
    assert not extract & remove and set(WORDS) >= INFLECTED


def test_longer_words_are_tried_first():
    assert compiled("{REMOVE_PHRASE}").match("get rid of the rain").group() == "get rid of"


def test_a_list_takes_its_inflected_forms_where_they_are_asked_for():
    plain, inflected = compiled("{REMOVE} {X}"), compiled("{REMOVE} {X}", inflected=True)
    assert plain.fullmatch("remove rain") and not plain.fullmatch("removing rain")
    assert inflected.fullmatch("removing rain")["x"] == "rain"
    assert not inflected.fullmatch("remove rain")


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame.pattern[:40])
def test_a_frame_names_its_target_or_brings_one(frame):
    assert frame.task in TASKS
    groups = compiled(frame.pattern).groupindex
    assert ("x" in groups) != bool(frame.says)


def test_verbs_whose_misspellings_are_known_are_verbs():
    for verb, task in TYPO_VERBS.items():
        assert verb in words(task.upper())
