"""Parse instructions by rules (HSM-TSS section III-F): no model, no dependency, deterministic.

A template filled with a caption is read first (``captions``). Any other text is cut into sentences and
clauses. A clause is a command when, after politeness, it fits a frame of the grammar. Extraction has
priority over removal ("keep the speech and remove the music" extracts the speech); "everything except
X" inverts the task; "remove it" resolves "it" from the clauses before. A text without a command is a
description to extract. Other languages than English are read by ``foreign``, with a warning.
"""

import dataclasses
import re
import unicodedata
import warnings
from collections.abc import Sequence

from hsmtss_jax.instructions import foreign, grammar, labels, limits
from hsmtss_jax.instructions.captions import caption_query
from hsmtss_jax.instructions.commands import Command, has_word, matches, read_command
from hsmtss_jax.instructions.descriptions import clean, cut, listed, names_sound, strip_context
from hsmtss_jax.instructions.grammar import compiled
from hsmtss_jax.instructions.instruction import Instruction, InstructionWarning
from hsmtss_jax.instructions.languages import Language
from hsmtss_jax.instructions.limits import Limits
from hsmtss_jax.instructions.normalise import normalise
from hsmtss_jax.instructions.spans import FORMS
from hsmtss_jax.task import TASKS, Task

_APARTS = ("separat", "isolat", "pick", "singl", "pull", "lift", "bring")
_PICKS = ("pick", "singl")
_COLON_HEAD = re.compile(r"\w+\s*:")


def parse(text: str) -> Instruction:
    """Parse ``text`` into a task and a description, in the user's own words and order.

    Spans of time ("between 2 and 4 seconds") and an amount ("by 6 dB", "turn down") become the instruction's
    own. The exceptions are "denoise" (remove "noise"), "karaoke" and "a cappella" (remove, extract "vocals").
    An InstructionWarning says what is not English, which limits are not followed, and which emoji are.
    ValueError: the text names no sound, a span that ends before it begins, or has over 2000 characters.
    """
    plain = normalise(text)
    language = foreign.detect(plain)
    found, said = read_english(plain) if language is None else _read_foreign(plain, language)
    emoji = _emoji(text)
    if not names_sound(found.description) or limits.only(found.description):
        hint = f" ({emoji[0]})" if emoji else ""
        raise ValueError(
            f"no sound is named in {plain[:60]!r}{hint}: say which, e.g. 'remove the dog barking'"
        )
    for warning in said + emoji:
        warnings.warn(warning, InstructionWarning, stacklevel=2)
    return found


def _read_foreign(text: str, language: Language) -> tuple[Instruction, list[str]]:
    text = " ".join(text.split())
    cut = limits.cut(text, loose=True, forms=(*language.spans, *FORMS), little=language.little)
    found = foreign.parse(cut.text, language)
    if found is None:
        found, said = read_english(text)
    else:
        level = "lower" if re.search(language.lower, text, re.IGNORECASE) else ""
        found, said = _limited(found, cut, level), cut.warnings
    what = f"looks {language.name}" if language.name else "does not look English"
    advice = "if that is wrong, give --task and the description in English, which the model knows"
    return found, [
        f"{text[:60]!r} {what}, read as {found.task} {found.description[:60]!r}: {advice}",
        *said,
    ]


def read_english(text: str) -> tuple[Instruction, list[str]]:
    """Parse a normalised English text; return the instruction and warnings."""
    text = labels.unlabelled(labels.one_line(text))
    filled = caption_query(text)
    if filled is not None:
        return _filled(text, filled)
    cut, commands, context = _requested(text)
    label = labels.labelled(cut.text)
    found = _instruction(label.task, clean(label.target)) if label else _decide(commands, context)
    found = found or _plain(cut.text)
    level = "" if label else _level(commands)
    said = cut.warnings + (limits.point(found.description) if commands else [])
    return _limited(found, cut, level), said


def _filled(text: str, filled: Instruction) -> tuple[Instruction, list[str]]:
    """Take strict limits out of a filled template, but none out of a caption behind a colon."""
    cut = limits.cut(filled.description, loose=False)
    if cut.text == filled.description:
        return filled, []
    if _COLON_HEAD.match(text):
        return filled, ["behind the colon all words describe the sound: give limits as options"]
    found = Instruction(filled.task, clean(cut.text), "rules")
    return _limited(found, cut, ""), cut.warnings


def _limited(found: Instruction, cut: Limits, level: str) -> Instruction:
    return dataclasses.replace(found, spans=cut.spans, amount=cut.amount(level))


def _requested(text: str) -> tuple[Limits, list[Command], str]:
    """Return the text without its limits and what they are, its commands, and its context."""
    for loose in (True, False):
        cut = limits.cut(text, loose)
        commands, context = _commands(cut.text)
        if commands:
            break
    return cut, commands, context


def _commands(text: str) -> tuple[list[Command], str]:
    """Return the commands of all clauses, and the first clause that is none."""
    commands: list[Command] = []
    context = ""
    for clause in _clauses(text):
        command = read_command(clause)
        if command is None:
            context = context or strip_context(clause)
        else:
            commands.append(command)
    return commands, context


def _emoji(text: str) -> list[str]:
    """Return a warning for pictures that may stand for a sound; faces, hands and hearts do not."""
    pictures = [c for c in text if ord(c) >= 0x1F300 and unicodedata.category(c) == "So"]
    pictures = [
        c for c in pictures if not 0x1F440 <= ord(c) <= 0x1F49F and not 0x1F600 <= ord(c) < 0x1F650
    ]
    pictures = [c for c in pictures if not 0x1F910 <= ord(c) <= 0x1F93F]
    return [f"{''.join(pictures[:5])} is not read: say the sound in words"] if pictures else []


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
    first = read_command(sentence)
    for boundary in compiled(grammar.CLAUSE).finditer(sentence):
        head, tail = sentence[: boundary.start()], sentence[boundary.end() :]
        if not has_word(head) or not has_word(tail):
            continue
        command = read_command(
            tail, inflected=bool(re.search(r"\b(?:while|by)\b", boundary.group()))
        )
        if command is not None and _starts_clause(first, head, command):
            inflected = command.form == "inflected"
            return head, f"{command.task} {command.target}" if inflected else tail
    return None


def _starts_clause(first: Command | None, head: str, command: Command) -> bool:
    """Return whether the verb after a comma or "and" starts a command, not part of a description."""
    if read_command(head) is not None:
        return True
    if first is not None:
        return False
    polite = compiled(grammar.POLITE).fullmatch(command.lead)
    return polite is not None or matches(grammar.ANAPHOR, command) or matches(grammar.REST, command)


def _decide(commands: list[Command], context: str) -> Instruction | None:
    """Combine the commands of all clauses; None when no clause names a sound."""
    named = [c for c in commands if not matches(grammar.REST, c) and names_sound(c.target)]
    named = [c for c in named if not matches(grammar.ANAPHOR, c)]
    if any(c.task == Task.REMOVE and not c.protects for c in named):
        named = [c for c in named if not c.protects]
    for task in TASKS:
        targets = [_target(command) for command in named if command.task == task]
        if targets:
            return _instruction(task, " and ".join(dict.fromkeys(targets)))
    for command in commands:
        if context:
            task = command.task.opposite if matches(grammar.REST, command) else command.task
            return Instruction(task, listed(clean(context)), "rules")
    if commands:
        return Instruction(commands[0].task, clean(commands[0].target), "rules")
    return None


def _level(commands: Sequence[Command]) -> str:
    """Return "lower" or "louder" where all that is done to the unwanted, or else the wanted, is just that."""
    named = [c for c in commands if not c.protects and not matches(grammar.ANAPHOR, c)] or commands
    removed = {command.level for command in named if command.task == Task.REMOVE}
    levels = removed or {command.level for command in named}
    return levels.pop() if len(levels) == 1 else ""


def _instruction(task: Task, description: str) -> Instruction:
    """Return an instruction, with names of mixes ("karaoke") replaced by their meaning."""
    for pattern, meaning in grammar.MEANINGS.items():
        if task == "extract" and compiled(pattern).fullmatch(description):
            task, description = Task(meaning[0]), meaning[1]
    return Instruction(task, description, "rules")


def _target(command: Command) -> str:
    target = cut(grammar.EXCLUSION, command.target)
    if command.verb.startswith(_APARTS):
        target = cut(grammar.APART, target)
    if command.verb.startswith(_PICKS):
        target = cut(grammar.PICKED, target)
    return clean(target)


def _plain(text: str) -> Instruction:
    return _instruction(Task.EXTRACT, clean(cut(grammar.PLAIN_EXCLUSION, strip_context(text))))
