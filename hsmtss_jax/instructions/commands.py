"""Match a clause of an instruction to a frame of the grammar: its task, its target, its politeness."""

import dataclasses
import difflib
import re
from collections.abc import Iterator

from hsmtss_jax.instructions import grammar
from hsmtss_jax.instructions.grammar import FRAMES, Frame, compiled
from hsmtss_jax.task import Task

EDGES = " .,;:!?'-—/"  # punctuation around a target
_MAX_LEAD = 30  # polite words before a command


@dataclasses.dataclass(frozen=True)
class Command:
    """Store a parsed command clause. target: the sound it names. lead: the politeness before it.

    form: "base", or "inflected" for "removing X". verb: the words between lead and target.
    protects: the clause says what is not to be removed ("don't remove X"). level: "lower" or "louder"
    where the request changes a level ("turn X down", "make X louder"), else "".
    """

    task: Task
    target: str
    lead: str = ""
    form: str = "base"
    verb: str = ""
    protects: bool = False
    level: str = ""


def read_command(clause: str, inflected: bool = False) -> Command | None:
    """Parse one clause; None where it contains no request."""
    clause = without_tail(clause)
    leads = _leads(clause)
    context = compiled(grammar.CONTEXT).match(clause)
    if context and len(leads[0]) <= context.end():  # not "is there a way to ..."
        return None
    found = _match(clause, leads, inflected) or _match_typo(clause, leads[0])
    if found is None or not has_word(found.target):
        return None
    task, target = found.task, found.target
    if nothing := compiled(grammar.NOTHING_BUT).fullmatch(target):
        target = nothing["x"]
    if except_ := compiled(grammar.EXCEPT).fullmatch(target):
        task, target = task.opposite, except_["x"]
    negated = _negated(found.lead)
    protects = (negated and task == Task.REMOVE) or found.verb == "not"
    task = task.opposite if negated else task
    level = "" if negated else found.level
    return dataclasses.replace(found, task=task, target=target, protects=protects, level=level)


def _leads(clause: str) -> list[str]:
    """Return every run of polite words and negations at the start, longest first, the empty one last."""
    ends = [0]
    patterns = [compiled(grammar.NEGATION), compiled(grammar.LEAD)]
    while len(ends) < _MAX_LEAD:
        matches = [pattern.match(clause, ends[-1]) for pattern in patterns]
        found = [match.end() for match in matches if match and has_word(clause[match.end() :])]
        if not found:
            break
        ends.append(max(found))
    return [clause[:end] for end in reversed(ends)]


def _negated(lead: str) -> bool:
    """Return whether the politeness negates the verb ("don't", but not "why don't you")."""
    rest = compiled(grammar.HARMLESS).sub("", lead)
    return len(compiled(r"\b" + grammar.NEGATION).findall(rest)) % 2 == 1


def _match(clause: str, leads: list[str], inflected: bool) -> Command | None:
    """Match the first frame that fits after one of the leads."""
    allowed = compiled(grammar.INFLECTED_LEAD)
    for frame in FRAMES:
        for lead in leads:
            forms = ["base"] + ["inflected"] * bool(inflected or allowed.fullmatch(lead))
            for form in forms:
                pattern = compiled(frame.pattern, form == "inflected")
                match = pattern.fullmatch(clause, len(lead))
                if match is not None:
                    return _fit(frame, match, lead, form)
    return None


def _fit(frame: Frame, match: re.Match[str], lead: str, form: str) -> Command:
    target = match["x"] if "x" in match.groupdict() else frame.says
    if target == frame.says:
        return Command(Task(frame.task), target, lead, form)
    verb, behind = (
        match.string[a:b].strip().lower()
        for a, b in ((match.start(), match.start("x")), (match.end("x"), match.end()))
    )
    level = _level(f"{verb} {behind}")
    return Command(Task(frame.task), target.strip(), lead, form, verb, level=level)


def _level(around: str) -> str:
    """Return which way the words around a target change its level, if they do."""
    for level, pattern in (("lower", grammar.LOWER), ("louder", grammar.LOUDER)):
        if compiled(pattern).search(around):
            return level
    return ""


def _match_typo(clause: str, lead: str) -> Command | None:
    """Match a misspelt verb: same first letter, swapped letters or a close match, no other word."""
    word, _, target = clause[len(lead) :].partition(" ")
    word = word.lower()
    known = [entry for name in ("NOT_TYPO", "EXTRACT", "REMOVE") for entry in grammar.words(name)]
    if word in known or any(word.startswith(verb) for verb in grammar.TYPO_VERBS):
        return None
    for verb in _close(word):
        return Command(Task(grammar.TYPO_VERBS[verb]), target, lead, verb=verb)
    return None


def _close(word: str) -> Iterator[str]:
    """Yield the verbs that ``word`` may misspell. Words shorter than the verb are other words."""
    same = [verb for verb in grammar.TYPO_VERBS if verb[0] == word[:1]]
    yield from (verb for verb in same if sorted(verb) == sorted(word))
    longer = [verb for verb in same if len(verb) > 4 and len(word) >= len(verb) - 1]
    longer += [verb for verb in same if len(verb) == 4 and len(word) == 5]
    yield from difflib.get_close_matches(word, longer, n=1, cutoff=0.8)


def without_tail(clause: str) -> str:
    """Strip thanks and "from the mixture" from the end of a clause."""
    behind, clause = compiled(rf"(?:{grammar.BEHIND})$"), clause.strip(EDGES)
    while (match := behind.search(clause)) is not None:
        clause = clause[: match.start()].strip(EDGES)
    return clause


def matches(pattern: str, command: Command) -> bool:
    """Return whether the target, without thanks, is of a kind such as ANAPHOR."""
    return compiled(pattern).fullmatch(without_tail(command.target)) is not None


def has_word(text: str) -> bool:
    """Return whether there is a letter or a digit."""
    return any(character.isalnum() for character in text)
