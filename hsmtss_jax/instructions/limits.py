"""Read what limits an instruction: spans of time and an amount, which are no part of the description.

Strict phrases ("between 2 and 4 seconds", "by 6 dB") do not occur in captions. Loose ones ("in the first
half", "a little") do, so they are read in requests only.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from hsmtss_jax.instructions import amounts, spans
from hsmtss_jax.instructions.amounts import Amount, Change
from hsmtss_jax.instructions.grammar import compiled
from hsmtss_jax.instructions.spans import FORMS, Form, Span

_VAGUE = (
    r"(?:in|during|throughout) the (?:very )?(?:first|second|third|last|final|opening|closing|middle"
    r"|initial) (?:part|section|bars?)(?: (?:of|in) {MEDIUM})?",
    r"in the middle(?: of {MEDIUM})?(?=[,.;!?]*$)",
)
_POINT = r"\bat (?:the (?:very )?(?:beginning|start|end)\b|(?:about )?\d+:\d\d)"


class Limits(NamedTuple):
    """Store a text without its limits, the spans and changes of level that it names, and warnings."""

    text: str
    spans: tuple[Span, ...]
    changes: list[Change]
    warnings: list[str]

    def amount(self, level: str) -> Amount | None:
        """Return the amount of a command that makes something "lower", "louder" or neither ("")."""
        change = self.changes[0] if self.changes else amounts.USUAL if level else None
        return None if change is None else change.amount(level == "louder")


def cut(text: str, loose: bool, forms: Sequence[Form] = FORMS, little: str = "") -> Limits:
    """Cut spans of time and amounts out of ``text``; ``loose`` phrases as well where asked for.

    forms, little: phrases of another language that name spans, and that mean "a little".
    """
    timed = spans.find(text, loose, forms)
    text, said = timed.text, []
    for pattern in _VAGUE if loose else ():
        for match in compiled(rf"\b{pattern}").finditer(text):
            shorter = text.replace(match.group(), " ")
            if any(map(str.isalnum, shorter)):
                text = " ".join(shorter.split())
                said.append(_unfollowed(match.group()))
    changed = amounts.find(text, loose, little)
    said += [
        f"{phrase!r} is not followed: only one amount is, {changed.phrases[0]!r}"
        for phrase in changed.phrases[1:]
    ]
    return Limits(changed.text, timed.spans, changed.changes, said)


def only(text: str) -> bool:
    """Return whether the text is a span of time and nothing else ("the first 10 seconds")."""
    return spans.find(f"x {text}", loose=True).text.strip() == "x"


def point(text: str) -> list[str]:
    """Return a warning for a vague point in time ("at the end"), which stays in the description."""
    found = re.search(_POINT, text, re.IGNORECASE)
    return [_unfollowed(found.group())] if found else []


def _unfollowed(phrase: str) -> str:
    return (
        f"{phrase!r} is not followed: the whole recording is processed; give its seconds (--span)"
    )
