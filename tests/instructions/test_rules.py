"""The rule parser: a table of sentences as people type them, the templates, what must not happen."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsmtss_jax.instructions import TEMPLATES, Instruction, InstructionWarning, parse, queries
from hsmtss_jax.instructions.scoring import (
    ParsedCase,
    canonical,
    cases_file,
    read_cases,
    run,
    score,
)

CASES = read_cases(cases_file())
HELD_OUT = [case for case in CASES if case.group == "heldout"]
HELD_OUT_2026 = [case for case in CASES if case.group == "2026 held out"]
HELD_OUT_SECOND = [case for case in CASES if case.group == "2026 second held out"]
OWN = [case for case in CASES if not case.group.endswith(("heldout", "held out"))]
UNWARNED = pytest.mark.filterwarnings("ignore::hsmtss_jax.instructions.InstructionWarning")


@UNWARNED
@pytest.mark.parametrize("case", OWN, ids=[case.text for case in OWN])
def test_case(case):
    found = parse(case.text)
    assert (found.task, canonical(found.description)) == (case.task, canonical(case.description))
    assert found.source == "rules" and not found.note
    assert ParsedCase(case, found).limits_correct


def test_there_are_enough_cases():
    assert len(OWN) >= 150 and len(HELD_OUT) >= 60
    assert len({case.text for case in CASES}) == len(CASES)


def test_held_out_cases():
    """Written before the grammar and not tuned on: what they reached when first run is kept."""
    reached = score(run(parse, HELD_OUT))["all"]
    assert reached.task >= 60 and reached.both >= 55
    reached = score(run(parse, HELD_OUT_2026))["all"]
    assert len(HELD_OUT_2026) >= 60 and reached.task >= 69 and reached.both >= 62
    reached = score(run(parse, HELD_OUT_SECOND))["all"]
    assert len(HELD_OUT_SECOND) >= 70 and reached.task >= 72
    assert reached.both >= 70 and reached.limits >= 68


@pytest.mark.parametrize(
    "text", ["", "   ", "\n", "?!", "!!!", '""', "...", "\x00\x07", "\u200b", "🐶", "()"]
)
def test_empty(text):
    with pytest.raises(ValueError, match="empty"):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        *("remove", "remove 🐕", "remove the 🐕 and keep the 🎸", "remove it", "keep everything"),
        *("please", "Extract: ", "Remove the sound of ...", "Drop !", "the sound should stay"),
    ],
)
def test_no_sound(text):
    with pytest.raises(ValueError, match=r"no sound is named in .*remove the dog barking") as error:
        parse(text)
    assert "\n" not in str(error.value) and ("🐕" in str(error.value)) == ("🐕" in text)


@pytest.mark.parametrize(
    ("text", "task", "description", "says"),
    [
        ("entferne den Regen", "remove", "den Regen", "looks German, read as remove 'den Regen'"),
        ("удали собаку", "extract", "удали собаку", "does not look English.*--task"),
        ("Remove: der Hund bellt", "remove", "der Hund bellt", "looks German.*in English"),
        (
            "remove the hum in the first part",
            "remove",
            "hum",
            "'in the first part' is not followed",
        ),
        ("Remove: a bell from 2 s to 4 s", "remove", "a bell from 2 s to 4 s", "behind the colon"),
        ("remove the beep at the end", "remove", "beep at the end", "'at the end' is not followed"),
        ("remove the dog 🐕", "remove", "dog", "🐕 is not read"),
    ],
)
def test_warnings(text, task, description, says):
    with pytest.warns(InstructionWarning, match=says):
        assert parse(text) == Instruction(task, description)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("remove the hum between 2 and 4 seconds", "remove 'hum' 0:02-0:04"),
        ("turn the music down by 6 dB", "remove 'music' by 6dB"),
        ("turn down the rain", "remove 'rain' by 10dB"),
        ("the rain is too loud", "remove 'rain' by 10dB"),
        ("turn up the speech", "extract 'speech' by +6dB"),
        ("turn the speech up by 3 dB from 1:05 on", "extract 'speech' by +3dB, 1:05-end"),
        ("keep the speech and turn down the music", "extract 'speech' by 10dB"),
        ("turn up the speech and remove the music", "extract 'speech'"),
        ("remove the music and turn down the rain", "remove 'music and rain'"),
        ("turn down everything except the speech by 6 dB", "extract 'speech' by 6dB"),
        ("don't turn down the speech", "extract 'speech'"),
        ("turn the rain down completely", "remove 'rain'"),
        ("remove the duck", "remove 'duck'"),
        ("remove the soft music", "remove 'soft music'"),
        ("Remove the sound of a hum between 2 and 4 seconds", "remove 'a hum' 0:02-0:04"),
        ("a beep between 2 and 4 seconds", "extract 'a beep' 0:02-0:04"),
        ("double bass", "extract 'double bass'"),
        ("Duck quacking repeatedly", "extract 'Duck quacking repeatedly'"),
        ("duck the music by 12 dB", "remove 'music' by 12dB"),
        ("an engine, getting a little louder", "extract 'an engine, getting a little louder'"),
        ("remove the engine as it gets much louder", "remove 'engine as it gets much louder'"),
        (
            "please remove rain falling outside between 2 and 4 s",
            "remove 'rain falling outside' 0:02-0:04",
        ),
    ],
)
def test_times_and_amounts(text, expected):
    found = parse(text)
    assert f"{found.task} {found.description!r} {found.limits}".strip() == expected


def test_a_span_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match="ends before it begins"):
        parse("remove the hum between 4 and 2 seconds")


def test_faces_and_thanks_are_no_sounds():
    assert parse("remove the rain 🙏😊") == Instruction("remove", "rain")


def test_too_long():
    with pytest.raises(ValueError, match=r"10,000 characters.*2,000 at most"):
        parse("d" * 10_000)


def test_control_characters_and_marks():
    expected = Instruction("remove", "dog barking")
    assert parse("remove\x00 the\x1b dog\tbarking\r\n\x7f") == expected
    assert parse("re\u200bmove the dog\u00a0barking \ud83d") == expected
    assert parse("“Remove” the dog—barking").task == "remove"
    assert parse("Remove the child\u2019s toy").description == "child's toy"


def test_in_the_background_is_the_users_word():
    """It may be what tells two sources apart, as in the paper's "the background music"."""
    assert parse("mute the talking in the background").description == "talking in the background"


ACTORS = ["a dog", "a loud train horn", "someone", "a woman", "birds", "rain", "an engine", "TV"]
ACTIONS = [
    *("barking", "speaks in Italian", "revs and stops", "is mining with a pickaxe"),
    *("drops a cup", "crying out", "being cut", "with a remote control"),
]
PLACES = ["", " in the distance", " close to a stream", " in the background", " (reversed)"]
JOINS = ["", " and a cat meows", ", wind and thunder", " while music plays", " 3 times"]
descriptions = st.builds(
    "{} {}{}{}".format,
    *(st.sampled_from(words) for words in (ACTORS, ACTIONS, PLACES, JOINS)),
)


@settings(max_examples=100, deadline=None)
@given(descriptions, st.sampled_from(["extract", "remove"]))
def test_templates_are_understood(description, task):
    for query in queries(task, description):
        assert parse(query) == Instruction(task, description)
        assert parse(query.upper()).task == task


@settings(max_examples=100, deadline=None)
@given(descriptions)
def test_a_description_alone_is_extracted_whole(description):
    assert parse(description) == Instruction("extract", description)


@UNWARNED
@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_gives_a_description_or_a_clear_error(text):
    try:
        found = parse(text)
    except ValueError as error:
        known = ("empty", "no sound is named", "ends before it begins")
        assert any(reason in str(error) for reason in known)
    else:
        assert any(character.isalnum() for character in found.description)


WORDS = ["remove", "keep", "everything", "but", "the", "it", "please", "and", "not", ",", "."]
WORDS += ["dog", "don't", "only", "except", "rain"]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=10))
def test_word_salad_gives_the_users_own_words_or_is_refused(words):
    text = " ".join(words)
    try:
        found = parse(text)
    except ValueError as error:
        assert "name" in str(error)
        return
    told = found.description.replace(",", " ").replace(".", " ").split()
    assert found.task in TEMPLATES and set(told) <= {*words, "and"}


@pytest.mark.parametrize("phrase", ["please ", "dog, ", "keep a and ", "but not ", "i want ", "'"])
def test_long_texts_end(phrase):
    assert parse((phrase * 2000)[:1990] + " hum").description


def test_many_targets():
    text = "remove dog number {}, ".format
    instruction = parse("".join(text(i) for i in range(40)))
    assert instruction.task == "remove" and instruction.description.endswith("and dog number 39")
