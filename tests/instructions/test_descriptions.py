"""Targets lose the words that do not describe the sound, never all of them."""

import pytest

from hsmtss_jax.instructions.descriptions import clean, cut, listed, names_sound, strip_context


@pytest.mark.parametrize(
    ("target", "description"),
    [
        ("the sound of a train, please", "a train"),
        ("only the birds from the recording", "birds"),
        ("the sound that the pump makes", "pump"),
        ("'ow' shouts", "'ow' shouts"),
        ("the", "the"),
    ],
)
def test_clean(target, description):
    assert clean(target) == description


def test_cut_leaves_a_word():
    assert cut(r" without .*", "speech without music") == "speech"
    assert cut(r".*", "speech") == "speech"


def test_context_and_lists():
    assert strip_context("I can hear a dog") == "a dog"
    assert listed("rain and thunder") == "rain, thunder"
    assert listed("heavy rain and thunder") == "heavy rain and thunder"


@pytest.mark.parametrize(
    "words", ["the", "it", "remove the", "please", "keep everything", "the sound"]
)
def test_no_sound(words):
    assert not names_sound(words)


@pytest.mark.parametrize("words", ["silence", "the solo", "noise", "remove the hum", "雨"])
def test_a_sound(words):
    assert names_sound(words)
