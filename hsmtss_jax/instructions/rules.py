"""A rule parser for instructions: no model, no dependency, the same answer every time.

A text is cut into sentences and clauses. A clause is a command when, after politeness, it starts with
a verb of the lexicon; what follows is its target. What is kept beats what is removed ("keep the speech
and remove the music" extracts the speech); "everything except X" turns the task around; "remove it"
looks back for what "it" is. A text without a command is a description to extract.
"""

import dataclasses
import difflib
import re

from hsmtss_jax.instructions import lexicon as lex
from hsmtss_jax.instructions.instruction import Instruction, Task

_OPPOSITE: dict[Task, Task] = {"extract": "remove", "remove": "extract"}
_EDGES = " \t\r\n.,;:!?…\"'*-—"
_STRAIGHT = str.maketrans("\u2018\u2019\u201c\u201d\u0060\u2013", "''\"\"'—")
_LONGEST = 2000  # characters


def parse(text: str) -> Instruction:
    """The task and the description in ``text``: words are the user's own, in their order.

    ValueError: the text has no letter and no digit, or over 2000 characters.
    """
    text = _normalise(text)
    labelled = _labelled(text)
    if labelled is not None:
        return labelled
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
    """A clause that asks for something. target: what follows the verb. lead: what preceded it."""

    task: Task
    target: str
    lead: str = ""
    gerund: bool = False
    verb: str = ""


def _normalise(text: str) -> str:
    text = re.sub(r"[ \t\r\f\v]+", " ", text.translate(_STRAIGHT)).strip()
    if not any(character.isalnum() for character in text):
        raise ValueError(
            "the instruction is empty: describe a sound, e.g. 'remove the dog barking'"
        )
    if len(text) > _LONGEST:
        raise ValueError(
            f"the instruction has over {_LONGEST} characters: describe the sound shortly"
        )
    return text.lower() if text.isupper() and " " in text else text


def _labelled(text: str) -> Instruction | None:
    """ "Remove: X" and the like: X is taken as it is, however long."""
    head, colon, tail = text.partition(":")
    if not colon or not _has_word(tail):
        return None
    command = _verb(head.strip() + " x", gerunds=False)
    if command is None or command.target.strip() != "x":
        return None
    return Instruction(command.task, _clean(tail))


def _clauses(text: str) -> list[str]:
    """Sentences, each cut again where a new command starts."""
    sentences = [part.strip() for part in lex.SENTENCE_END.split(text)]
    return [clause for sentence in sentences if sentence for clause in _split(sentence)]


def _split(sentence: str) -> list[str]:
    clauses, rest = [], sentence
    while (cut := _first_cut(rest)) is not None:
        head, rest = cut
        clauses.append(head)
    return [*clauses, rest]


def _first_cut(sentence: str) -> tuple[str, str] | None:
    """(what precedes the first new command, that command and all behind it)."""
    first = _command(sentence)
    for boundary in lex.CLAUSE.finditer(sentence):
        head, tail = sentence[: boundary.start()], sentence[boundary.end() :]
        if not _has_word(head) or not _has_word(tail):
            continue
        command = _command(tail, gerunds=bool(re.search(r"\b(?:while|by)\b", boundary.group())))
        if command is not None and _starts_clause(first, head, command):
            return head, _as_base(tail, command)
    return None


def _starts_clause(first: _Command | None, head: str, command: "_Command") -> bool:
    """Whether the command after a comma or "and" is one, not a word of the description."""
    if first is not None:
        return _command(head) is not None
    gentle = bool(lex.GENTLE.search(command.lead))
    return gentle or _is_anaphor(command.target) or _is_rest(command.target)


def _as_base(tail: str, command: "_Command") -> str:
    """ "removing the music" -> "remove the music"."""
    if not command.gerund:
        return tail
    return f"{command.task} {command.target}"


def _command(clause: str, gerunds: bool = False) -> "_Command | None":
    clause = clause.strip(_EDGES)
    context, filler = lex.CONTEXT.match(clause), lex.FILLER.match(clause)
    if context and not (filler and filler.end() > context.end()):  # "is there a way to ..."
        return None
    return _passive(clause) or _inverted(clause) or _verb(clause, gerunds)


def _passive(clause: str) -> "_Command | None":
    """ "Can X be removed", "I want X gone", "turn X off"."""
    rest, lead, negated = _peel(clause)
    for pattern in lex.PASSIVES:
        for candidate, prefix in ((clause, ""), (rest, lead)):
            match = pattern.match(_without_tail(candidate))
            if match is not None:
                task: Task = "remove" if match.groupdict().get("remove") else "extract"
                task = _OPPOSITE[task] if negated and prefix else task
                return _Command(task, match["target"], prefix)
    return None


def _inverted(clause: str) -> "_Command | None":
    """ "everything except X", with no verb before it: remove X."""
    match = lex.EXCEPT.match(clause)
    return _Command("remove", match["target"]) if match else None


def _verb(clause: str, gerunds: bool) -> "_Command | None":
    rest, lead, negated = _peel(clause)
    found = _match_verb(rest, gerunds or bool(lead)) or _match_typo(rest)
    if found is None and negated is not None and negated.endswith("wish"):
        found = _Command("extract", rest)
    if found is None and lex.ONLY.search(lead):
        found = _Command("extract", rest)
    if found is None or not _has_word(found.target):
        return None
    task = _OPPOSITE[found.task] if negated else found.task
    nothing = lex.NOTHING_BUT.match(found.target)
    target = found.target[nothing.end() :] if nothing else found.target
    except_ = lex.EXCEPT.match(target)
    if except_ is not None:
        task, target = _OPPOSITE[task], except_["target"]
    return dataclasses.replace(found, task=task, target=target, lead=lead)


def _peel(clause: str) -> tuple[str, str, str | None]:
    """(what is left, the politeness before it, "not" or "not wish" if it is negated)."""
    rest, negated = clause, None
    while True:
        negation = lex.NEGATION.match(rest)
        match = negation or lex.FILLER.match(rest)
        if match is None or not _has_word(rest[match.end() :]):
            return rest, clause[: len(clause) - len(rest)], negated
        if negation is not None:
            negated = "not wish" if negation["wish"] else "not"
        rest = rest[match.end() :]


def _match_verb(rest: str, gerunds: bool) -> "_Command | None":
    """The longest verb phrase of either task at the start of ``rest``."""
    best: _Command | None = None
    for task in lex.VERBS:
        match = (lex.COMMANDS_ING if gerunds else lex.COMMANDS)[task].match(rest)
        if match is not None and (best is None or len(match.group()) > len(best.verb)):
            word = match.group()
            best = _Command(
                task,
                rest[match.end() :].strip(),
                gerund=word.lower().endswith("ing"),
                verb=word.lower(),
            )
    return best


def _match_typo(rest: str) -> "_Command | None":
    """A misspelt verb: close to one, same first letter, and no other English word we know of."""
    word, _, target = rest.partition(" ")
    word = word.lower()
    if word in lex.NOT_TYPOS or any(word.startswith(verb) for verb in lex.TYPO_VERBS):
        return None
    # A wrong letter or two: shorter words than the verb are other words.
    for verb in difflib.get_close_matches(word, lex.TYPO_VERBS, n=1, cutoff=0.8):
        if verb[0] == word[0] and len(word) >= len(verb) - 1:
            task: Task = "extract" if verb in lex.VERBS["extract"] else "remove"
            return _Command(task, target, verb=verb)
    return None


def _decide(commands: list["_Command"], context: str) -> Instruction | None:
    """One instruction out of all clauses; None when no clause names a sound."""
    named = [c for c in commands if not _is_anaphor(c.target) and not _is_rest(c.target)]
    for task in ("extract", "remove"):
        targets = [_target(command) for command in named if command.task == task]
        if targets:
            return Instruction(task, " and ".join(dict.fromkeys(targets)))
    for command in commands:
        if context:
            task = _OPPOSITE[command.task] if _is_rest(command.target) else command.task
            return Instruction(task, _listed(_clean(context)))
    if commands:
        return Instruction(commands[0].task, _clean(commands[0].target))
    return None


def _target(command: "_Command") -> str:
    target = lex.EXCLUSION.sub("", command.target)
    if command.verb.startswith("separat") and _has_word(lex.APART.sub("", target)):
        target = lex.APART.sub("", target)
    return _clean(target if _has_word(target) else command.target)


def _plain(text: str) -> Instruction:
    text = _strip_context(text)
    shorter = lex.PLAIN_EXCLUSION.sub("", text)
    return Instruction("extract", _clean(shorter if _has_word(shorter) else text))


def _strip_context(clause: str) -> str:
    """ "I can hear a dog in the recording" -> "a dog in the recording"."""
    match = lex.CONTEXT.match(clause)
    return clause[match.end() :] if match and _has_word(clause[match.end() :]) else clause


def _listed(description: str) -> str:
    """Single words named in another sentence become a list, as on the authors' demo page."""
    items = re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", description)
    return ", ".join(items) if all(" " not in item for item in items) else description


def _clean(description: str) -> str:
    """Without quotes, "the sound of", "from the mixture", thanks; never empty."""
    description = " ".join(description.replace('"', "").split())
    while True:
        shorter = description.strip(_EDGES)
        for pattern in (lex.TRAILING, lex.LEADING):
            match = pattern.search(shorter) if pattern is lex.TRAILING else pattern.match(shorter)
            if match is not None:
                cut = shorter[: match.start()] + shorter[match.end() :]
                shorter = cut if _has_word(cut) else shorter
        if shorter == description:
            return description
        description = shorter


def _is_anaphor(target: str) -> bool:
    return lex.ANAPHOR.match(_without_tail(target)) is not None


def _is_rest(target: str) -> bool:
    return lex.REST.match(_without_tail(target)) is not None


def _without_tail(target: str) -> str:
    target = target.strip(_EDGES)
    while (match := lex.TRAILING.search(target)) is not None:
        target = target[: match.start()].strip(_EDGES)
    return target


def _has_word(text: str) -> bool:
    return any(character.isalnum() for character in text)
