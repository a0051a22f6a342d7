"""Labels before a colon, verbs with a colon, and lines."""

import pytest

from hsmtss_jax.instructions.labels import labelled, one_line, unlabelled


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("remove\nthe rain", "remove the rain"),
        ("Please remove\n\nthe dog\nbarking", "Please remove the dog barking"),
        ("do not\nremove the dog", "do not remove the dog"),
        ("remove the dog\nkeep the cat", "remove the dog; keep the cat"),
        ("Remove:\n- rain\n- wind", "Remove: - rain, wind"),
        ("rain", "rain"),
    ],
)
def test_one_line(text, line):
    assert one_line(text) == line


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("Denoise: remove hiss", "remove hiss"),
        ("TODO - mute the fan", "mute the fan"),
        ("remove: rain, keep: speech", "remove rain, keep speech"),
        ("Extract: a man says: leave it", "Extract: a man says: leave it"),
        ("a man says: leave the room", "a man says: leave the room"),
        ("Radio: a man talks about sports", "Radio: a man talks about sports"),
        ("the dog — remove it", "the dog — remove it"),
    ],
)
def test_unlabelled(text, command):
    assert unlabelled(text) == command


def test_labelled():
    assert labelled("Please mute: rain; wind").target.strip() == "rain; wind"
    assert labelled("noise reduction: hiss").task == "remove"
    assert labelled("Radio: rain") is None and labelled("remove:") is None
