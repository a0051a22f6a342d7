"""What an instruction is, whoever made it."""

import pytest

from hsmtss_jax.instructions import Instruction
from hsmtss_jax.instructions.amounts import read_amount
from hsmtss_jax.instructions.spans import read_span
from hsmtss_jax.task import Task


def test_the_word_becomes_a_task():
    assert Instruction("remove", "rain").task is Task.REMOVE
    with pytest.raises(ValueError, match="mute"):
        Instruction("mute", "rain")


def test_where_it_is_from_makes_no_difference():
    noted = Instruction("remove", "rain", "rules", "no answer")
    assert noted == Instruction("remove", "rain") and hash(noted) == hash(
        Instruction("remove", "rain")
    )
    assert noted != Instruction("extract", "rain") and noted != Instruction("remove", "Rain")


def test_the_opposite_keeps_the_words():
    given = Instruction("remove", "rain")
    assert given.opposite == Instruction("extract", "rain") and given.opposite.opposite == given


def test_presence_is_asked_by_extraction():
    keep = Instruction("extract", "rain")
    assert Instruction("remove", "rain").extraction == keep.extraction == keep


def test_as_plain_json():
    expected = {"task": "remove", "description": "rain", "source": "given"}
    assert Instruction("remove", "rain").as_dict() == expected
    noted = Instruction("remove", "rain", note="no answer")
    assert noted.as_dict() == {**expected, "note": "no answer"}


def test_limits_are_what_travels_with_it():
    limited = Instruction(
        "remove", "rain", spans=(read_span("2-4"), read_span("1:05-")), amount=read_amount("6dB")
    )
    assert limited == Instruction("remove", "rain") and limited.opposite.spans == limited.spans
    assert limited.limits == "by 6dB, 0:02-0:04, 1:05-end"
    assert str(limited) == "remove 'rain' by 6dB, 0:02-0:04, 1:05-end"
    assert limited.as_dict()["spans"] == ["0:02-0:04", "1:05-end"]
    assert limited.as_dict()["amount"] == "6dB"


def test_all_of_a_sound_is_no_amount():
    assert Instruction("remove", "rain", amount=read_amount("100%")).amount is None
