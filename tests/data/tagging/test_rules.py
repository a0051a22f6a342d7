"""Captions are tagged by the sounds they name; overlap is the same sound, or a kind of it."""

import pickle

import pytest

from hsmtss_jax.data.tagging.rules import RuleTagger


@pytest.fixture(scope="module")
def tagger() -> RuleTagger:
    return RuleTagger()


@pytest.mark.parametrize(
    ("text", "sounds"),
    [
        (
            "An adult male speaks while thumps occur in the background, then frogs croak.",
            ["Male speech, man speaking", "Thump, thud", "Croak"],
        ),
        ("Two dogs are barking while it rains", ["Bark", "Rain"]),
        ("belly laugh,giggle", ["Belly laugh", "Giggle"]),
        ("accelerating and revving and vroom", ["Accelerating, revving, vroom"]),
        ("crackling fire", ["Fire"]),
        ("door wood knock", ["Knock"]),
        ("clock alarm", ["Alarm clock"]),
        ("an engine running", ["Engine"]),
        ("nothing of the kind", []),
    ],
)
def test_sounds_of_a_caption(tagger, text, sounds):
    assert tagger.sounds(text) == sounds


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("a dog barks", "a dog howls", True),
        ("rain", "raindrops fall", True),
        ("a guitar", "music plays", True),
        ("a hyena", "wild animals", True),
        ("a hyena", "a gorilla", False),
        ("a dog barks", "a cat meows", False),
        ("rain", "a piano", False),
        ("a xyzzy", "the xyzzy again", True),
    ],
)
def test_overlap(tagger, a, b, same):
    assert tagger([a]).overlaps(tagger([b])) == same == tagger([b]).overlaps(tagger([a]))


def test_what_is_broad_and_said_more_exactly_is_left_out(tagger):
    assert tagger(["solo banjo music"]).events == {"Banjo"} and "Music" in tagger(["banjo"]).tags
    assert tagger(["a dog howls"]).events == {"Dog", "Howl"}
    assert tagger(["music"]).events == {"Music"}


def test_all_texts_of_a_clip_count(tagger):
    assert tagger(["a dog barks", "rain"]).events == {"Bark", "Rain"}
    assert not tagger([]).tags


def test_it_goes_to_other_processes(tagger):
    assert pickle.loads(pickle.dumps(tagger)).sounds("rain") == ["Rain"]
