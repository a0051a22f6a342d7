"""Amounts: phrases of requests, figures of options, and how they are written."""

import pytest

from hsmtss_jax.instructions.amounts import USUAL, WHOLE, Amount, decibels, find, read_amount


@pytest.mark.parametrize(
    ("text", "rest", "lower", "louder"),
    [
        ("turn the music down by 6 dB", "turn the music down", "6dB", "+6dB"),
        ("lower the crowd by 50%", "lower the crowd", "6.021dB", "+3.522dB"),
        ("turn the rain down to 10 percent", "turn the rain down", "20dB", "None"),
        ("turn it up to 150%", "turn it up", "0dB", "+3.522dB"),
        ("reduce the rain by half", "reduce the rain", "6.021dB", "+3.522dB"),
        ("reduce the rain by a factor of 10", "reduce the rain", "20dB", "+20dB"),
    ],
)
def test_strict_phrases_are_read_everywhere(text, rest, lower, louder):
    found = find(text, loose=False)
    (change,) = found.changes
    assert found.text == rest
    assert (str(change.amount(False)), str(change.amount(True))) == (lower, louder)


@pytest.mark.parametrize(
    ("text", "rest", "lower"),
    [
        ("reduce the hum a little", "reduce the hum", "5dB"),
        ("slightly reduce the hum", "reduce the hum", "5dB"),
        ("make the drums a bit quieter", "make the drums quieter", "5dB"),
        ("make the drums a lot quieter", "make the drums quieter", "20dB"),
        ("make the dog half as loud", "make the dog quieter", "6.021dB"),
        ("make the dog twice as loud", "make the dog louder", "6.021dB"),
        ("remove half of the wind", "remove the wind", "6.021dB"),
        ("remove 90% of the rain", "remove the rain", "20dB"),
        ("remove the hiss completely", "remove the hiss", "100%"),
        ("partly remove the hiss", "remove the hiss", "6.021dB"),
    ],
)
def test_loose_phrases_are_read_in_requests(text, rest, lower):
    found = find(text, loose=True)
    assert found.text == rest and [str(c.amount(False)) for c in found.changes] == [lower]
    assert find(text, loose=False) == (text, [], [])


@pytest.mark.parametrize(
    "text", ["a little dog", "half past ten", "a glass half full", "by a lake"]
)
def test_no_amounts(text):
    assert find(text, loose=True) == (text, [], [])


def test_usual_changes():
    assert str(USUAL.amount(raises=False)) == "10dB" and str(USUAL.amount(raises=True)) == "+6dB"
    assert decibels(20.0).amount(raises=False).unwanted == pytest.approx(0.1)
    assert [str(decibels(1e9).amount(way)) for way in (False, True)] == ["120dB", "+40dB"]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("20dB", Amount(1.0, 0.1)),
        ("-20 db", Amount(1.0, 0.1)),
        ("+20dB", Amount(10.0, 1.0)),
        ("25%", Amount(1.0, 0.75)),
        (0.25, Amount(1.0, 0.75)),
        (".5", Amount(1.0, 0.5)),
        ("1", WHOLE),
        ("100 %", WHOLE),
    ],
)
def test_options_are_read(text, amount):
    assert read_amount(text) == pytest.approx(amount)
    assert read_amount(amount) == pytest.approx(amount, rel=1e-3)


@pytest.mark.parametrize("text", ["", "x", "6", "0", "-1", "150%", "+50%", "0dB", "130dB", "+50dB"])
def test_other_options_are_refused(text):
    with pytest.raises(ValueError, match="amount") as error:
        read_amount(text)
    assert "\n" not in str(error.value)


def test_what_takes_all_away_is_whole():
    assert WHOLE.whole and not Amount(unwanted=0.5).whole and not Amount(2.0, 1.0).whole
    assert str(WHOLE) == "100%"
