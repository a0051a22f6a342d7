"""Time spans and amounts leave the text and are returned; captions keep theirs."""

import pytest

from hsmtss_jax.instructions.limits import cut, only, point
from hsmtss_jax.instructions.spans import Form


def test_spans_and_amounts_leave_the_text():
    found = cut("turn the hum down by 6 dB between 2 and 4 seconds", loose=False)
    assert found.text == "turn the hum down" and found.warnings == []
    assert [*map(str, found.spans)] == ["0:02-0:04"] and str(found.amount("lower")) == "6dB"


def test_what_the_level_means():
    plain, numbered = cut("the hum", loose=True), cut("the hum by 6 dB", loose=True)
    assert [str(plain.amount(level)) for level in ("", "lower", "louder")] == [
        "None",
        "10dB",
        "+6dB",
    ]
    assert [str(numbered.amount(level)) for level in ("", "lower", "louder")] == [
        "6dB",
        "6dB",
        "+6dB",
    ]


def test_a_second_amount_is_not_followed():
    found = cut("lower the hum by 6 dB and the hiss by 3 dB", loose=True)
    assert found.text == "lower the hum and the hiss" and str(found.amount("lower")) == "6dB"
    assert "'by 3 dB' is not followed" in found.warnings[0]


@pytest.mark.parametrize("text", ["remove the hum in the first part", "a song in the middle"])
def test_vague_parts_are_not_followed(text):
    found = cut(text, loose=True)
    assert "is not followed" in found.warnings[0] and found.spans == () and "in" not in found.text
    assert cut(text, loose=False).text == text


@pytest.mark.parametrize("text", ["the second violin", "a bell every 2 seconds", "a little dog"])
def test_no_limit(text):
    assert cut(text, loose=True) == (text, (), [], [])


def test_vague_points_in_time():
    assert "at the end" in point("a beep at the end")[0] and point("a dog at night") == []


def test_phrases_of_another_language():
    forms = [Form("range", "zwischen {A} und {B}")]
    found = cut("mach den Regen zwischen 2 und 4 Sekunden etwas leiser", True, forms, "etwas")
    assert found.text == "mach den Regen leiser" and str(found.amount("lower")) == "5dB"
    assert [*map(str, found.spans)] == ["0:02-0:04"]


def test_a_time_span_is_no_sound():
    assert only("the first 10 seconds") and only("between 2 and 4 seconds")
    assert not only("the first note") and not only("a dog between 2 and 4 seconds")
