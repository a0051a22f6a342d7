"""Parse instructions by rules (HSM-TSS section III-F): no model, no dependency, deterministic.

A template filled with a caption is read first (``captions``). Any other text is cut into sentences and
clauses. A clause is a command when, after politeness, it fits a frame of the grammar. Extraction has
priority over removal ("keep the speech and remove the music" extracts the speech); "everything except
X" inverts the task; "remove it" resolves "it" from the clauses before. A text without a command,
including one in another language than English, is a description to extract.
"""

import dataclasses
import difflib
import re
from collections.abc import Iterator

from hsmtss_jax.instructions import grammar
from hsmtss_jax.instructions.captions import caption_query
from hsmtss_jax.instructions.grammar import FRAMES, Frame, compiled
from hsmtss_jax.instructions.instruction import Instruction
from hsmtss_jax.instructions.normalise import normalise
from hsmtss_jax.task import TASKS, Task

_EDGES = " \n.,;:!?'-—/"
_MAX_LEAD = 30  # polite words before a command


def parse(text: str) -> Instruction:
    """Parse ``text`` into a task and a description, in the user's own words and order.

    The exceptions are "denoise" (remove "noise"), "karaoke" and "a cappella" (remove, extract "vocals").
    ValueError: the text has no letter and no digit, or over 2000 characters.
    """
    text = normalise(text)
    filled = caption_query(text) or _labelled(text)
    if filled is not None:
        return filled
    commands: list[_Command] = []
    context = ""
    for clause in _clauses(text):
        command = _command(clause)
        if command is None:
            context = context or _strip_context(clause)
        else:
            commands.append(command)
    return _decide(commands, context) or _plain(text)


@dataclasses.dataclass(frozen=True)
class _Command:
    """Store a parsed command clause. target: the sound it names. lead: the politeness before it.

    form: "base", or "inflected" for "removing X". verb: the words between lead and target.
    """

    task: Task
    target: str
    lead: str = ""
    form: str = "base"
    verb: str = ""


def _labelled(text: str) -> Instruction | None:
    """Parse "Remove: X" and other verbs with a colon: X is the description, however long."""
    head, colon, tail = text.partition(":")
    if not colon or not _has_word(tail):
        return None
    command = _command(head.strip() + " x")
    if command is None or command.target != "x":
        return None
    return _instruction(command.task, _clean(tail))


def _clauses(text: str) -> list[str]:
    """Split the text into sentences, and each sentence where a new command starts."""
    sentences = [part.strip() for part in compiled(grammar.SENTENCE_END).split(text)]
    return [clause for sentence in sentences if sentence for clause in _split(sentence)]


def _split(sentence: str) -> list[str]:
    clauses, rest = [], sentence
    while (cut := _first_cut(rest)) is not None:
        head, rest = cut
        clauses.append(head)
    return [*clauses, rest]


def _first_cut(sentence: str) -> tuple[str, str] | None:
    """Split before the first new command; None where there is none."""
    first = _command(sentence)
    for boundary in compiled(grammar.CLAUSE).finditer(sentence):
        head, tail = sentence[: boundary.start()], sentence[boundary.end() :]
        if not _has_word(head) or not _has_word(tail):
            continue
        command = _command(tail, inflected=bool(re.search(r"\b(?:while|by)\b", boundary.group())))
        if command is not None and _starts_clause(first, head, command):
            inflected = command.form == "inflected"
            return head, f"{command.task} {command.target}" if inflected else tail
    return None


def _starts_clause(first: _Command | None, head: str, command: _Command) -> bool:
    """Return whether the verb after a comma or "and" starts a command, not part of a description."""
    if first is not None:
        return _command(head) is not None
    polite = compiled(grammar.POLITE).fullmatch(command.lead)
    return polite is not None or _is(grammar.ANAPHOR, command) or _is(grammar.REST, command)


def _command(clause: str, inflected: bool = False) -> _Command | None:
    """Parse one clause; None where it contains no request."""
    clause = _without_tail(clause)
    leads = _leads(clause)
    context = compiled(grammar.CONTEXT).match(clause)
    if context and len(leads[0]) <= context.end():  # not "is there a way to ..."
        return None
    found = _match(clause, leads, inflected) or _match_typo(clause, leads[0])
    if found is None or not _has_word(found.target):
        return None
    task, target = found.task, found.target
    if nothing := compiled(grammar.NOTHING_BUT).fullmatch(target):
        target = nothing["x"]
    if except_ := compiled(grammar.EXCEPT).fullmatch(target):
        task, target = task.opposite, except_["x"]
    if _negated(found.lead):
        task = task.opposite
    return dataclasses.replace(found, task=task, target=target)


def _leads(clause: str) -> list[str]:
    """Return every run of polite words and negations at the start, longest first, the empty one last."""
    ends = [0]
    patterns = [compiled(grammar.NEGATION), compiled(grammar.LEAD)]
    while len(ends) < _MAX_LEAD:
        matches = [pattern.match(clause, ends[-1]) for pattern in patterns]
        found = [match.end() for match in matches if match and _has_word(clause[match.end() :])]
        if not found:
            break
        ends.append(max(found))
    return [clause[:end] for end in reversed(ends)]


def _negated(lead: str) -> bool:
    """Return whether the politeness negates the verb ("don't", but not "why don't you")."""
    rest = compiled(grammar.HARMLESS).sub("", lead)
    return len(compiled(r"\b" + grammar.NEGATION).findall(rest)) % 2 == 1


def _match(clause: str, leads: list[str], inflected: bool) -> _Command | None:
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


def _fit(frame: Frame, match: re.Match[str], lead: str, form: str) -> _Command:
    target = match["x"] if "x" in match.groupdict() else frame.says
    verb = match.group()[: match.start("x") - match.start()] if target != frame.says else ""
    return _Command(Task(frame.task), target.strip(), lead, form, verb.strip().lower())


def _match_typo(clause: str, lead: str) -> _Command | None:
    """Match a misspelt verb: same first letter, swapped letters or a close match, no other word."""
    word, _, target = clause[len(lead) :].partition(" ")
    word = word.lower()
    known = [entry for name in ("NOT_TYPO", "EXTRACT", "REMOVE") for entry in grammar.words(name)]
    if word in known or any(word.startswith(verb) for verb in grammar.TYPO_VERBS):
        return None
    for verb in _close(word):
        return _Command(Task(grammar.TYPO_VERBS[verb]), target, lead, verb=verb)
    return None


def _close(word: str) -> Iterator[str]:
    """Yield the verbs that ``word`` may misspell. Words shorter than the verb are other words."""
    same = [verb for verb in grammar.TYPO_VERBS if verb[0] == word[:1]]
    yield from (verb for verb in same if sorted(verb) == sorted(word))
    longer = [verb for verb in same if len(verb) > 4 and len(word) >= len(verb) - 1]
    longer += [verb for verb in same if len(verb) == 4 and len(word) == 5]
    yield from difflib.get_close_matches(word, longer, n=1, cutoff=0.8)


def _decide(commands: list[_Command], context: str) -> Instruction | None:
    """Combine the commands of all clauses; None when no clause names a sound."""
    named = [c for c in commands if not _is(grammar.ANAPHOR, c) and not _is(grammar.REST, c)]
    for task in TASKS:
        targets = [_target(command) for command in named if command.task == task]
        if targets:
            return _instruction(task, " and ".join(dict.fromkeys(targets)))
    for command in commands:
        if context:
            task = command.task.opposite if _is(grammar.REST, command) else command.task
            return Instruction(task, _listed(_clean(context)), "rules")
    if commands:
        return Instruction(commands[0].task, _clean(commands[0].target), "rules")
    return None


def _instruction(task: Task, description: str) -> Instruction:
    """Return an instruction, with names of mixes ("karaoke") replaced by their meaning."""
    for pattern, meaning in grammar.MEANINGS.items():
        if task == "extract" and compiled(pattern).fullmatch(description):
            task, description = Task(meaning[0]), meaning[1]
    return Instruction(task, description, "rules")


def _target(command: _Command) -> str:
    target = _cut(grammar.EXCLUSION, command.target)
    if command.verb.startswith(("separat", "isolat")):
        target = _cut(grammar.APART, target)
    return _clean(target)


def _plain(text: str) -> Instruction:
    return _instruction(Task.EXTRACT, _clean(_cut(grammar.PLAIN_EXCLUSION, _strip_context(text))))


def _cut(pattern: str, text: str) -> str:
    """Delete the matches of the pattern, unless no word would be left."""
    shorter = compiled(pattern).sub("", text)
    return shorter if _has_word(shorter) else text


def _strip_context(clause: str) -> str:
    """Strip an introduction: "I can hear a dog in the recording" -> "a dog in the recording"."""
    match = compiled(grammar.CONTEXT).match(clause)
    return clause[match.end() :] if match and _has_word(clause[match.end() :]) else clause


def _listed(description: str) -> str:
    """Join single words named in another sentence by commas, as on the authors' demo page."""
    items = re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", description)
    return ", ".join(items) if all(" " not in item for item in items) else description


def _clean(description: str) -> str:
    """Strip "the sound of", "from the mixture" and thanks; never to an empty text."""
    description = " ".join(description.split())
    while True:
        shorter = _cut(rf"(?:{grammar.BEHIND})$", _bare(description))
        shorter = _cut(f"^{grammar.BEFORE}", shorter)
        if around := compiled(grammar.AROUND).fullmatch(shorter):
            shorter = around["x"]
        if shorter == description:
            return description
        description = shorter


def _bare(text: str) -> str:
    """Strip punctuation at the ends, except a quotation mark whose pair is inside."""
    stripped = text.strip(_EDGES)
    before, after = text.partition(stripped)[::2] if stripped else ("", "")
    if stripped.count("'") % 2 and before.endswith("'"):
        return "'" + stripped
    return stripped + "'" if stripped.count("'") % 2 and after.startswith("'") else stripped


def _without_tail(clause: str) -> str:
    """Strip thanks and "from the mixture" from the end of a clause."""
    behind, clause = compiled(rf"(?:{grammar.BEHIND})$"), clause.strip(_EDGES)
    while (match := behind.search(clause)) is not None:
        clause = clause[: match.start()].strip(_EDGES)
    return clause


def _is(pattern: str, command: _Command) -> bool:
    return compiled(pattern).fullmatch(_without_tail(command.target)) is not None


def _has_word(text: str) -> bool:
    return any(character.isalnum() for character in text)
