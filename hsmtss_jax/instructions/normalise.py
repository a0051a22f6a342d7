"""Normalise an instruction as typed to plain characters."""

import re
import unicodedata

MAX_CHARACTERS = 2000  # characters
_CHARACTERS = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u00b4\u0060\u02bc", "'"),  # curly apostrophes and their like
        **dict.fromkeys('"\u201c\u201d\u201e\u00ab\u00bb', None),
        **dict.fromkeys("\u2013\u2014\u2015\u2192", " — "),
        **dict.fromkeys("*[]{}<>|\\", " "),  # of mark-up and arrows
        "\ufe0f": None,  # makes an emoji of the character before it
    }
)


def normalise(text: str) -> str:
    """Remove control characters, emoji, mark-up and double quotes; collapse spaces.

    Line breaks stay. An instruction all in capitals becomes lower case.

    Raises:
      ValueError: no letter and no digit in it, or over 2000 characters.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(
            f"the instruction has {len(text):,} characters: name the sound in {MAX_CHARACTERS:,} at most"
        )
    text = "".join(_plain(character) for character in text.translate(_CHARACTERS))
    text = re.sub(r"\s*(?:\.{2,}|…)\s*", ", ", text)
    text = re.sub(r"[^\S\n]+", " ", text).strip(" \n,")
    if not any(character.isalnum() for character in text):
        raise ValueError("the instruction is empty: name a sound, e.g. 'remove the dog barking'")
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1].strip()
    return text.lower() if text.isupper() and " " in text else text


def _plain(character: str) -> str:
    """Replace emoji, other symbols and control characters, except line breaks, by spaces."""
    kind = unicodedata.category(character)
    if kind == "Cf":  # joiners and marks of direction: no width
        return ""
    return " " if kind in ("So", "Sk", "Cc", "Cs", "Co", "Cn") and character != "\n" else character
