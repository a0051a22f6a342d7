"""Strip a target of the words around it that do not describe the sound."""

import re

from hsmtss_jax.instructions import grammar
from hsmtss_jax.instructions.commands import EDGES, has_word
from hsmtss_jax.instructions.grammar import compiled

_EMPTY = ("EMPTY", "LEAD", "EXTRACT", "REMOVE")


def cut(pattern: str, text: str) -> str:
    """Delete the matches of the pattern, unless no word would be left."""
    shorter = compiled(pattern).sub("", text)
    return shorter if has_word(shorter) else text


def strip_context(clause: str) -> str:
    """Strip an introduction: "I can hear a dog in the recording" -> "a dog in the recording"."""
    match = compiled(grammar.CONTEXT).match(clause)
    return clause[match.end() :] if match and has_word(clause[match.end() :]) else clause


def names_sound(description: str) -> bool:
    """Return whether there is a word beyond articles, pronouns, politeness and verbs of requests."""
    empty = {word for name in _EMPTY for word in grammar.words(name)} - set(
        grammar.words("VERB_NOUNS")
    )
    words = [word.strip(EDGES) for word in description.split()]
    return any(word.lower() not in empty or len(word) == 1 == word.isupper() for word in words)


def listed(description: str) -> str:
    """Join single words named in another sentence by commas, as on the authors' demo page."""
    items = re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", description)
    return ", ".join(items) if all(" " not in item for item in items) else description


def clean(description: str) -> str:
    """Strip "the sound of", "from the mixture" and thanks; never to an empty text."""
    description = " ".join(description.split())
    while True:
        shorter = cut(rf"(?:{grammar.BEHIND})$", _bare(description))
        shorter = cut(f"^{grammar.BEFORE}", shorter)
        if around := compiled(grammar.AROUND).fullmatch(shorter):
            shorter = around["x"]
        if shorter == description:
            return description
        description = shorter


def _bare(text: str) -> str:
    """Strip punctuation at the ends, except a quotation mark whose pair is inside."""
    stripped = text.strip(EDGES)
    before, after = text.partition(stripped)[::2] if stripped else ("", "")
    if stripped.count("'") % 2 and before.endswith("'"):
        return "'" + stripped
    return stripped + "'" if stripped.count("'") % 2 and after.startswith("'") else stripped
