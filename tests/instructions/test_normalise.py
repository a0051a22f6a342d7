"""Typed text becomes one line of plain characters, or is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsmtss_jax.instructions.normalise import MAX_CHARACTERS, normalise


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("  remove\tthe   rain ", "remove the rain"),
        ("“remove” the child\u2019s toy", "remove the child's toy"),
        ("**remove** the <rain>", "remove the rain"),
        ("remove the rain 🐶", "remove the rain"),
        ("re\u200bmove\x00 the rain", "remove the rain"),
        ("remove the rain... now", "remove the rain, now"),
        ("(remove the rain)", "remove the rain"),
        ("REMOVE THE RAIN", "remove the rain"),
        ("TV", "TV"),
        ("remove the TV", "remove the TV"),
        ("a\nb", "a\nb"),
    ],
)
def test_examples(typed, plain):
    assert normalise(typed) == plain


@pytest.mark.parametrize("typed", ["", " \n", "?!", "...", "🐶", "\u200b"])
def test_nothing_to_read(typed):
    with pytest.raises(ValueError, match="empty: name a sound"):
        normalise(typed)


def test_too_long():
    assert len(normalise("d" * MAX_CHARACTERS)) == MAX_CHARACTERS
    with pytest.raises(ValueError, match="2,001 characters"):
        normalise("d" * (MAX_CHARACTERS + 1))


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=40))
def test_what_comes_out_is_plain(typed):
    try:
        plain = normalise(typed)
    except ValueError:
        return
    assert plain == plain.strip() and "  " not in plain and '"' not in plain
    assert all(character.isprintable() or character == "\n" for character in plain)
