"""Clauses become commands: task, target, politeness, and what only says that a sound stays."""

import pytest

from hsmtss_jax.instructions.commands import has_word, matches, read_command
from hsmtss_jax.instructions.grammar import ANAPHOR, REST


@pytest.mark.parametrize(
    ("clause", "task", "target"),
    [
        ("could you please remove the hum", "remove", "the hum"),
        ("get the rain out of there", "remove", "the rain"),
        ("get the singer out of this song", "extract", "the singer"),
        ("leave only the speech in", "extract", "only the speech"),
        ("the siren has to go", "remove", "the siren"),
        ("everything but the wind should stay", "remove", "the wind"),
        ("the dog, remove", "remove", "the dog"),
    ],
)
def test_frames(clause, task, target):
    found = read_command(clause)
    assert (found.task, found.target) == (task, target) and not found.protects


@pytest.mark.parametrize("clause", ["don't remove the speech", "not the guitar"])
def test_what_is_not_to_be_removed(clause):
    assert read_command(clause).protects


@pytest.mark.parametrize(
    "clause", ["a dog barks", "I can hear a siren", "remove", "the rest is noise"]
)
def test_no_command(clause):
    assert read_command(clause) is None


def test_targets_that_name_no_sound():
    assert matches(ANAPHOR, read_command("remove it please"))
    assert matches(REST, read_command("mute everything else"))
    assert not matches(REST, read_command("mute the band"))


def test_words():
    assert has_word(" 3 ") and has_word("é") and not has_word(" -?! ")
