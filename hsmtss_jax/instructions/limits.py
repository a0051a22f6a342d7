"""Cut time spans and amounts out of an instruction: the separator follows neither.

Strict phrases ("between 2 and 4 seconds", "by 6 dB") do not occur in captions. Loose ones ("in the first
half", "a little") do, so they are cut out of requests only.
"""

import re
from typing import NamedTuple

from hsmtss_jax.instructions.grammar import compiled

_UNIT = r"(?:s|secs?|seconds?|ms|milliseconds?|min|mins|minutes?)\b"
_NUMBER = r"(?:\d+(?:\.\d+)?|one|two|three|four|five|six|seven|eight|nine|ten|twenty|thirty)"
_CLOCK = r"\d+(?::\d\d){1,2}(?:\.\d+)?"
_TIME = rf"(?:the )?(?:{_CLOCK}|{_NUMBER} ?{_UNIT}|(?:second|minute) {_NUMBER})"
_TO = r" ?(?:to|and|until|till|through|-|—) ?"
_WHOLE = r"(?: (?:of|in) {MEDIUM})?"

_STRICT_SPANS = (
    rf"(?:from|between) (?:{_TIME}|{_NUMBER}){_TO}(?:{_TIME}|the end)",
    rf"(?:from|between) (?:seconds?|minutes?) {_NUMBER}{_TO}{_NUMBER}",
    rf"(?:at |in )?{_CLOCK}{_TO}{_CLOCK}",
    rf"(?:starting )?(?:from|at) {_TIME} (?:on(?:wards?)?|until the end|to the end)\b",
    rf"(?:after|before|until|till|since|up to) {_CLOCK}",
)
_LOOSE_SPANS = (
    rf"(?:in|during|for|over|within|throughout|only in|from) the (?:very )?"
    rf"(?:first|second|third|last|final|opening|closing|middle|initial)"
    rf"(?: (?:{_NUMBER}|few|couple of))? ?(?:half|third|quarter|part|section|bars?|{_UNIT})"
    + _WHOLE,
    rf"(?:after|before|until|till) (?:about |around )?{_TIME}",
)
_STRICT_AMOUNTS = (
    r"(?:by|to|down to) (?:about |around |roughly |at least )?\d+(?:\.\d+)?"
    r" ?(?:dbs?|decibels?|%|percent|per cent)",
    r"by (?:about |around )?(?:half|a (?:half|third|quarter)|(?:a )?factor (?:of )?\w+)\b",
    r"\d+(?:\.\d+)? ?(?:dbs?|decibels?)\b",
)
_SOME = (
    r"(?:(?:just |only )?an? (?:(?:little|tiny|wee) )?(?:bit|little|tad|touch)|slightly|somewhat"
    r"|partially|partly|halfway|half way)"
)
_LOOSE_AMOUNTS = (
    rf"(?:by )?{_SOME}(?=[,.;!?]? *(?:$|{{PLEASE}}"
    r"|(?:quieter|softer|louder|clearer|less|more|down|lower)\b))",
    r"(?:about )?\d+(?:\.\d+)? ?(?:%|percent) of(?= (?:the|that|this|my) )",
    r"at (?:about )?\d+(?:\.\d+)? ?(?:%|percent)",
    rf"^{_SOME}(?= (?:{{REMOVE}}|{{EXTRACT}}|{{REMOVE_PHRASE}}|{{EXTRACT_PHRASE}})\b)",
)


class Limits(NamedTuple):
    """Store a text without its time spans and amounts, and one warning for each of them."""

    text: str
    warnings: list[str]


def cut(text: str, loose: bool) -> Limits:
    """Cut time spans and amounts out of ``text``; ``loose`` ones as well where asked for."""
    spans = _STRICT_SPANS + (_LOOSE_SPANS if loose else ())
    amounts = _STRICT_AMOUNTS + (_LOOSE_AMOUNTS if loose else ())
    said: list[str] = []
    for patterns, says in (
        (spans, "is not followed: the whole recording is processed; --start and --end cut it"),
        (amounts, "is not followed: the sound is taken as a whole"),
    ):
        for pattern in patterns:
            text, found = _cut(
                rf"(?<![\w:.]){pattern}(?![\w:])" if "^" not in pattern else pattern, text
            )
            said += [f"{phrase!r} {says}" for phrase in found]
    return Limits(text, said)


def only(text: str) -> bool:
    """Return whether the text is a time span and nothing else ("the first 10 seconds")."""
    span = rf"(?:the )?(?:first|second|last|middle)(?: (?:{_NUMBER}|few))? ?(?:half|third|quarter|{_UNIT})"
    return any(
        compiled(pattern).fullmatch(text) for pattern in (span, *_STRICT_SPANS, *_LOOSE_SPANS)
    )


def point(text: str) -> list[str]:
    """Return a warning for a point in time ("at 0:35", "at the end"), which stays in the description."""
    found = re.search(
        rf"\bat (?:{_TIME}|the (?:very )?(?:beginning|start|end)\b)", text, re.IGNORECASE
    )
    return [f"{found.group()!r} is not followed: the whole recording is processed"] if found else []


def _cut(pattern: str, text: str) -> tuple[str, list[str]]:
    compiled_pattern = compiled(pattern)
    found = [match.group() for match in compiled_pattern.finditer(text)]
    shorter = compiled_pattern.sub(" ", text) if found else text
    shorter = re.sub(r"\s+([,.;!?])", r"\1", " ".join(shorter.split(" "))).strip(" ,")
    if not found or not any(character.isalnum() for character in shorter):
        return text, []
    return re.sub(r" {2,}", " ", shorter), found
