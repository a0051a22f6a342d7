"""Detect instructions that are not English, and parse their common core for the task."""

import dataclasses
import re
import unicodedata

from hsmtss_jax.instructions.instruction import Instruction
from hsmtss_jax.instructions.languages import Language, languages
from hsmtss_jax.task import TASKS, Task

_UNKNOWN = Language(name="")


@dataclasses.dataclass(frozen=True)
class _Clause:
    task: Task
    target: str


def detect(text: str) -> Language | None:
    """Return the language of ``text`` unless it is English, or too short to tell.

    Latin script: a language has to show more of its words than English does. A text mostly in another
    script is not English; the language is nameless unless it is Chinese or Japanese.
    """
    letters = [c for c in text if c.isalpha()]
    others = [c for c in letters if not unicodedata.name(c, "").startswith(("LATIN", "FULLWIDTH"))]
    if 2 * len(others) > len(letters):
        return _script(others)
    said = set(re.findall(r"[^\W\d_]+", text.lower()))
    english = len(said & languages().english)
    scores = [(_score(language, said), language) for language in languages().others]
    best, language = max(scores, key=lambda each: each[0])
    return language if best > english else None


def _script(letters: list[str]) -> Language:
    names = [unicodedata.name(letter, "") for letter in letters]
    if any(name.startswith(("HIRAGANA", "KATAKANA")) for name in names):
        return languages().named("Japanese")
    return (
        languages().named("Chinese") if any(name.startswith("CJK") for name in names) else _UNKNOWN
    )


def _score(language: Language, said: set[str]) -> float:
    """Count a strong word as one and a weak one as a half; one or two weak ones alone count nothing."""
    strong = len(said & language.strong)
    weak = len(said & language.weak)
    return strong + weak / 2 if strong or weak > 2 else 0.0


def parse(text: str, language: Language) -> Instruction | None:
    """Parse a request for its task; the description stays in its language. None: no request found.

    Extraction has priority over removal, as in English.
    """
    clauses = [clause for part in _split(text, language) if (clause := _clause(part, language))]
    rest = re.compile(language.rest, re.IGNORECASE)
    named = [clause for clause in clauses if not rest.fullmatch(clause.target)]
    for task in TASKS:
        targets = [clause.target for clause in named if clause.task == task]
        if targets:
            return Instruction(task, ", ".join(dict.fromkeys(targets)), "rules")
    return None


def _split(text: str, language: Language) -> list[str]:
    """Split where the words behind a joint are a request of their own."""
    parts, start, checked = [], 0, 0
    for joint in re.finditer(language.joint, text, re.IGNORECASE):
        if joint.start() < checked or _clause(text[joint.end() :], language) is None:
            continue
        parts.append(text[start : joint.start()])
        start = checked = joint.end()
    return [*parts, text[start:]]


def _clause(text: str, language: Language) -> _Clause | None:
    text = _strip(text, language)
    plain = " ".join(re.sub(language.negation, " ", text, flags=re.IGNORECASE).split())
    negated = plain != text
    plain = _strip(plain, language)
    for task, pattern in language.frames:
        match = re.fullmatch(_filled(pattern), plain, re.IGNORECASE)
        if match is None:
            continue
        found, target = task, _bare(match["x"])
        if negated:
            found = found.opposite
        if inverted := re.fullmatch(_filled(language.all_but), target, re.IGNORECASE):
            found, target = found.opposite, _bare(inverted["x"])
        if not any(character.isalnum() for character in target):
            continue
        return _Clause(found, target)
    everything = re.fullmatch(_filled(language.all_but), plain, re.IGNORECASE)
    return _Clause(Task.REMOVE, _bare(everything["x"])) if everything else None


def _filled(pattern: str) -> str:
    return pattern.replace("{X}", r"(?P<x>.+?)")


def _strip(text: str, language: Language) -> str:
    """Strip politeness, mentions of the recording and punctuation at the ends."""
    while True:
        shorter = _bare(text)
        shorter = re.sub(rf"^(?:{language.lead})", "", shorter, flags=re.IGNORECASE)
        shorter = re.sub(rf"(?:{language.tail})$", "", shorter, flags=re.IGNORECASE)
        if shorter == text or not shorter:
            return text
        text = shorter


def _bare(text: str) -> str:
    """Strip spaces, punctuation of any script and marks at the ends."""
    letters = [place for place, character in enumerate(text) if character.isalnum()]
    return text[letters[0] : letters[-1] + 1] if letters else ""
