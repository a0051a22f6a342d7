"""Reduce words to a common key: "barking", "barks" and "barked" are one word. Keys need not be words."""

import re

IRREGULAR = {
    "men": "man",
    "women": "woman",
    "children": "child",
    "people": "person",
    "kids": "kid",
    "mice": "mouse",
    "geese": "goose",
    "wolves": "wolf",
    "hooves": "hoof",
    "leaves": "leaf",
    "feet": "foot",
    "teeth": "tooth",
    "knives": "knife",
    "sang": "sing",
    "sung": "sing",
    "spoke": "speak",
    "spoken": "speak",
    "speech": "speech",
    "rang": "ring",
    "rung": "ring",
    "blew": "blow",
    "blown": "blow",
    "flew": "fly",
    "flown": "fly",
    "ran": "run",
    "ate": "eat",
    "drove": "drive",
    "driven": "drive",
    "broke": "break",
    "broken": "break",
    "fell": "fall",
    "shot": "shot",
    "swam": "swim",
    "wrote": "write",
    "written": "write",
    "wept": "weep",
    "said": "say",
    "heard": "hear",
    "struck": "strike",
    "thing": "thing",
    "during": "during",
}
STOP = frozenset({
    "a", "an", "the", "is", "are", "was", "were", "be", "been", "being", "of", "in", "on", "at",
    "by", "with", "and", "or", "to", "from", "for", "it", "its", "as", "while", "then", "that",
    "this", "there", "some", "several", "someone", "something", "somebody", "sound", "sounds",
    "noise", "can", "heard", "hear", "his", "her", "their", "two", "three", "four", "many", "few",
    "very", "more", "other", "another", "into", "over", "out", "up", "down", "away", "off",
    "near", "nearby", "distance", "background", "foreground", "followed", "following",
    "continuously", "repeatedly", "loudly", "softly",
})  # fmt: skip
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
_VOWEL = re.compile(r"[aeiouy]")


def words(text: str) -> list[str]:
    """Return the words of a text that may name a sound, as they are."""
    found = _WORD.findall(text.lower().replace("\u2019", "'"))
    return [word for word in (each.removesuffix("'s") for each in found) if word not in STOP]


def keys(text: str) -> tuple[str, ...]:
    """Return the keys of a text's words."""
    return tuple(key(word) for word in words(text))


def key(word: str) -> str:
    """Return what a word and its other forms have in common."""
    word = IRREGULAR.get(word, word)
    for ending in ("ing", "ed"):
        base = word.removesuffix(ending)
        if base != word and len(base) > 1 and _VOWEL.search(base):
            return _plain(base)
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if re.search(r"(s|x|z|ch|sh)es$", word):
        return _plain(word[:-2])
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        word = word[:-1]
    return _plain(word)


def _plain(base: str) -> str:
    """Return a stem without a doubled consonant or an e at its end, with y for i."""
    if len(base) > 2 and base[-1] == base[-2] and base[-1] not in "aeiouslzf":
        base = base[:-1]
    if base.endswith("i") and len(base) > 2:
        base = base[:-1] + "y"
    return base.rstrip("e") or base
