"""Amounts of a change of level, in words ("by 6 dB", "a little") and in figures ("6dB", "50%").

A target is the wanted and the unwanted sound, each times a gain: (1, 0) takes all away that is unwanted,
(1, 0.5) half of it, (2, 1) makes what is wanted louder and takes nothing away.
"""

import math
import re
from typing import Any, NamedTuple

from hsmtss_jax.instructions.grammar import compiled

LOWERED, A_LITTLE_LOWER, MUCH_LOWER = 10.0, 5.0, 20.0  # [dB] of words without a number
RAISED, A_LITTLE_LOUDER, MUCH_LOUDER = 6.0, 3.0, 12.0
_LARGEST = 120.0  # [dB] to take away
_LOUDEST = 40.0  # [dB] to add


class Amount(NamedTuple):
    """Store gains of the wanted and of the unwanted sound in the target."""

    wanted: float = 1.0
    unwanted: float = 0.0

    @property
    def whole(self) -> bool:
        """Return whether all that is unwanted is taken away, and no more."""
        return self == WHOLE

    def __str__(self) -> str:
        if self.unwanted == 0:
            return "100%"
        ratio = self.wanted if self.wanted > 1 else 1 / self.unwanted
        return "+" * (self.wanted > 1) + f"{20 * math.log10(ratio):.4g}dB"


WHOLE = Amount()


class Change(NamedTuple):
    """Store what a phrase says of a level: the gain where it makes something quieter, and where louder."""

    lower: float
    louder: float | None

    def amount(self, raises: bool) -> Amount | None:
        """Return the amount; None where the phrase does not say how much louder."""
        if not raises:
            return Amount(unwanted=min(1.0, max(0.0, self.lower)))
        return None if self.louder is None else Amount(self.louder, 1.0)


class Found(NamedTuple):
    """Store a text without the phrases that name amounts, these phrases, and what they say."""

    text: str
    phrases: list[str]
    changes: list[Change]


def decibels(lower: float, louder: float | None = None) -> Change:
    """Return a change by decibels [dB], the same in both directions unless ``louder`` is given."""
    louder = min(lower if louder is None else louder, _LOUDEST)
    return Change(10 ** (-min(lower, _LARGEST) / 20), 10 ** (louder / 20))


USUAL = decibels(LOWERED, RAISED)  # "turn it down", "turn it up"
_ABOUT = r"(?:about |around |roughly |at least |approximately |only )?"
_DB = r"(?P<db>\d+(?:[.,]\d+)?) ?-?(?:dbs?|decibels?)\b"
_PERCENT = (
    r"(?P<percent>\d+(?:[.,]\d+)?) ?(?:%|percent|prozent|(?:per|pour|por) (?:cent[o]?|ciento)\b)"
)
_FRACTIONS = {"half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4}
_FRACTION = r"(?:(?:a |one )?(?P<fraction>half|third|quarter))"
_FACTORS = {"two": 2.0, "three": 3.0, "four": 4.0, "ten": 10.0}
_LITTLE = (
    r"(?<!very )(?P<little>(?:just |only )?(?:an? )?(?:(?:little|tiny|wee) )?(?:bit|little|tad|touch|notch)"
    r"|(?:ever so )?slightly|somewhat|a fraction)"
)
_PARTLY = r"(?P<partly>partially|partly|halfway|half way|in part)"
_MUCH = (
    r"(?P<much>(?:by )?(?:a lot|a great deal|a good deal|far(?= \w+er\b)|much|considerably|significantly"
    r"|strongly))"
)
_WHOLLY = r"(?P<wholly>completely|entirely|totally|altogether|fully|all the way)"
_END = r"(?=[,.;!?]? *(?:$|{PLEASE}))"
_CHANGES = "".join(  # "as it gets a little louder" describes
    rf"(?<!\b{verb} )"
    for verb in ("get", "gets", "getting", "got", "grow", "grows", "growing", "become", "becomes")
)
_MORE = (
    r"(?=[,.;!?]? *(?:$|{PLEASE}|(?:quieter|softer|louder|clearer|less|more|down|lower|up|back)\b))"
)

# Strict phrases hardly occur in captions; the others are read in requests only.
_STRICT = (
    rf"(?P<off>take|knock|shave) {_ABOUT}(?:{_DB}|{_PERCENT}) (?:off|from|out of)",
    rf"(?P<to>to |at )?(?:(?:by|um|de|di|em) )?{_ABOUT}-?{_DB}",
    rf"(?P<to>to )(?:about )?{_PERCENT}",
    rf"by {_ABOUT}{_PERCENT}",
    rf"by {_ABOUT}{_FRACTION}\b",
    r"by (?:about )?(?:a )?factor (?:of )?(?P<factor>\d+(?:\.\d+)?|two|three|four|ten)\b",
)
_LOOSE = (
    rf"(?P<at>at (?:about )?){_PERCENT}",
    rf"(?:about )?{_PERCENT} of(?= (?:the|that|this|my|all|any) )",
    rf"(?P<to>to ){_FRACTION}\b(?: (?:its|the|their) (?:level|volume|loudness))?",
    r"(?P<verb>{REMOVE}) (?:(?P<most>most)|some|part|a (?:little|bit)(?: bit)?) of(?= (?:the|that|this|my) )",
    rf"{_FRACTION}(?: of)?(?= (?:the|that|this|my) (?!time\b))",
    r"(?P<scale>half|twice|double) as (?P<loud>loud|quiet|soft)\b",
    rf"{_CHANGES}(?:by )?{_LITTLE}{_MORE}",
    rf"^{_LITTLE}(?= (?:{{REMOVE}}|{{EXTRACT}}|{{REMOVE_PHRASE}}|{{EXTRACT_PHRASE}})\b)",
    rf"{_PARTLY}{_END}",
    rf"^{_PARTLY}(?= (?:{{REMOVE}}|{{REMOVE_PHRASE}})\b)",
    rf"{_CHANGES}{_MUCH}(?=[,.;!?]? *(?:$|(?:quieter|softer|louder|clearer|less|lower)\b))",
    rf"{_WHOLLY}{_END}",
    rf"^{_WHOLLY}(?= (?:{{REMOVE}}|{{REMOVE_PHRASE}})\b)",
)


def find(text: str, loose: bool, little: str = "") -> Found:
    """Read the amounts in ``text``; phrases that may belong to a caption only if ``loose``.

    little: pattern of another language's "a little".
    """
    phrases: list[str] = []
    changes: list[Change] = []
    patterns = [*_STRICT, *(_LOOSE if loose else ()), *([little] if little else [])]
    for pattern in patterns:
        bare = pattern.startswith("^") or pattern == little
        whole = compiled(pattern if bare else rf"(?<![\w:.])(?:{pattern})(?![\w:])")
        while (match := whole.search(text)) is not None:
            shorter = _without(text, match)
            if not any(map(str.isalnum, shorter)):
                break
            text, phrases = shorter, [*phrases, match.group().strip()]
            changes.append(_change(match.groupdict()))
    return Found(text, phrases, changes)


def read_amount(value: Any) -> Amount:
    """Read "6dB", "50%" or 0.5: how much of the unwanted sound is taken away; "+6dB" makes louder.

    Raises:
      ValueError: it is none of these, or out of range.
    """
    text = str(value).strip()
    match = re.fullmatch(r"([+-]?)(\d+(?:\.\d+)?|\.\d+) ?(db|%|)", text, re.IGNORECASE)
    if match is None:
        raise ValueError(f"{text[:40]!r} is no amount: give e.g. 6dB, 50%, 0.5, or +6dB for louder")
    sign, number, unit = match[1], float(match[2]), match[3].lower()
    if unit == "db":
        if not 0 < number <= (_LOUDEST if sign == "+" else _LARGEST):
            raise ValueError(f"the amount {text!r} is out of range: 0 to 120dB, +0 to +40dB")
        change = decibels(number).amount(sign == "+")
        assert change is not None
        return change
    share = number / 100 if unit else number
    if sign or not 0 < share <= 1:
        raise ValueError(
            f"the amount {text!r} must lie above 0 and at most at 1 (100%), or be in dB"
        )
    return Amount(unwanted=1 - share)


def _change(said: dict[str, str | None]) -> Change:
    """Return what a match says, by its named groups."""
    if said.get("db"):
        return decibels(_number(said["db"]))
    if said.get("percent"):
        share = _number(said["percent"]) / 100
        kept = said.get("to") or said.get("at")
        return Change(share, share if share > 1 else None) if kept else Change(1 - share, 1 + share)
    if said.get("fraction"):
        share = _FRACTIONS[str(said["fraction"]).lower()]
        if said.get("to"):
            return Change(share, None)
        return Change(1 - share, 1 + share)
    if said.get("factor"):
        factor = str(said["factor"])
        value = _FACTORS.get(factor) or float(factor)
        return Change(1 / value, value)
    if said.get("scale"):
        return Change(0.5, 2.0)
    if said.get("partly"):
        return Change(0.5, None)
    if said.get("wholly"):
        return Change(0.0, None)
    if said.get("much") or said.get("most"):
        return decibels(MUCH_LOWER, MUCH_LOUDER)
    return decibels(A_LITTLE_LOWER, A_LITTLE_LOUDER)


def _number(text: str | None) -> float:
    return float(str(text).replace(",", "."))


def _without(text: str, match: re.Match[str]) -> str:
    """Return the text without the phrase; "half as loud" leaves "quieter"."""
    said = match.groupdict()
    instead = " turn down " if said.get("off") else f" {said.get('verb') or ''} "
    if said.get("scale"):
        down = (said["scale"].lower() == "half") == (said["loud"].lower() == "loud")
        instead = " quieter " if down else " louder "
    shorter = text[: match.start()] + instead + text[match.end() :]
    return re.sub(r"\s+([,.;!?])", r"\1", re.sub(r" {2,}", " ", shorter)).strip(" ,")
