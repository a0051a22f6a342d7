"""Time spans and amounts leave the text, with a warning for each; captions keep theirs."""

import pytest

from hsmtss_jax.instructions.limits import cut, only, point


@pytest.mark.parametrize(
    ("text", "rest", "said"),
    [
        ("remove the hum between 2 and 4 seconds", "remove the hum", "between 2 and 4 seconds"),
        ("mute the dog from 1:05 to 1:10 please", "mute the dog please", "from 1:05 to 1:10"),
        ("From 0:30 on, keep the birds", "keep the birds", "From 0:30 on"),
        ("turn the music down by 6 dB", "turn the music down", "by 6 dB"),
        ("lower the crowd by 50%", "lower the crowd", "by 50%"),
    ],
)
def test_strict(text, rest, said):
    found = cut(text, loose=False)
    assert found.text == rest
    (warning,) = found.warnings
    assert said in warning and "not followed" in warning


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("remove the hum in the first half", "remove the hum"),
        ("remove the hum after 12 seconds", "remove the hum"),
        ("reduce the hum a little", "reduce the hum"),
        ("slightly reduce the hum", "reduce the hum"),
        ("make the drums a bit quieter", "make the drums quieter"),
    ],
)
def test_loose(text, rest):
    assert cut(text, loose=True).text == rest and len(cut(text, loose=True).warnings) == 1
    assert cut(text, loose=False) == (text, [])


@pytest.mark.parametrize(
    "text",
    ["a tone from 100 to 200 Hz", "a 2 second beep", "the second violin", "a bell every 2 seconds"],
)
def test_no_limit(text):
    assert cut(text, loose=True) == (text, [])


def test_a_limit_alone_stays():
    assert cut("between 2 and 4 seconds", loose=True).text == "between 2 and 4 seconds"


def test_points_in_time():
    assert "at 0:35" in point("a beep at 0:35")[0] and point("a dog at night") == []
    assert "at the end" in point("a beep at the end")[0]


def test_a_time_span_is_no_sound():
    assert only("the first 10 seconds") and only("between 2 and 4 seconds")
    assert not only("the first note") and not only("a dog between 2 and 4 seconds")
