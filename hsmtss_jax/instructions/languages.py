"""Load the word lists and frames of requests in other languages: the common core of seven of them."""

import dataclasses
import functools
import tomllib
from importlib import resources
from typing import Any

from hsmtss_jax.instructions.spans import Form
from hsmtss_jax.task import Task

_NEVER = r"(?!)"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Language:
    """Describe how a language requests a sound.

    Attributes:
      name: in English.
      strong: words that hardly occur in English text.
      weak: words that do; one or two of them never decide alone.
      frames: tasks and patterns of a clause; ``{X}`` stands for the target.
      lead: pattern of politeness before a request.
      tail: pattern of politeness and mentions of the recording after it.
      negation: pattern of the words that turn the task around; they are deleted.
      rest: pattern of targets that name no sound ("the rest").
      all_but: pattern of "everything except {X}".
      joint: pattern between two clauses.
      lower: pattern of words that turn something down and do not take it away.
      little: pattern of "a little".
      spans: phrases that name spans of time.
    """

    name: str
    strong: frozenset[str] = frozenset()
    weak: frozenset[str] = frozenset()
    frames: tuple[tuple[Task, str], ...] = ()
    lead: str = _NEVER
    tail: str = _NEVER
    negation: str = _NEVER
    rest: str = _NEVER
    all_but: str = _NEVER
    joint: str = _NEVER
    lower: str = _NEVER
    little: str = _NEVER
    spans: tuple[Form, ...] = ()


@dataclasses.dataclass(frozen=True)
class Languages:
    """Store the languages, and words that show that a text is English."""

    english: frozenset[str]
    others: tuple[Language, ...]

    def named(self, name: str) -> Language:
        """Return the language of that name. KeyError: there is none."""
        return {language.name: language for language in self.others}[name]


@functools.cache
def languages() -> Languages:
    """Load the package's table."""
    file = resources.files("hsmtss_jax") / "assets" / "instructions" / "languages.toml"
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    return Languages(_words(table["english"]), tuple(map(_language, table["language"])))


def _language(entry: dict[str, Any]) -> Language:
    words = {name: _words(entry.get(name, "")) for name in ("strong", "weak")}
    frames = tuple((Task(task), pattern) for task, pattern in entry.get("frames", ()))
    spans = tuple(Form(kind, pattern) for kind, pattern in entry.get("spans", ()))
    tables = (*words, "frames", "spans")
    patterns = {name: text for name, text in entry.items() if name not in tables}
    return Language(
        strong=words["strong"], weak=words["weak"], frames=frames, spans=spans, **patterns
    )


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())
