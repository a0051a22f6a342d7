"""Read labels before a colon ("Denoise: remove hiss"), and join lines."""

from hsmtss_jax.instructions import grammar
from hsmtss_jax.instructions.commands import Command, has_word, matches, read_command
from hsmtss_jax.instructions.grammar import compiled
from hsmtss_jax.task import Task

_BULLETS = ("-", "—", "•")
_MAX_LABEL = 4  # words


def one_line(text: str) -> str:
    """Join the lines by spaces, and by a semicolon where a line starts a command of its own."""
    joined, *lines = [line.strip() for line in text.split("\n")]
    for line in filter(None, lines):
        command = read_command(f"{joined} {line}")
        polite = command is not None and len(command.lead) > len(joined)
        if line.startswith(_BULLETS) and has_word(joined.rpartition(":")[2]):
            joined += ", " + line.lstrip("".join(_BULLETS) + " ")
        else:
            new = read_command(line) and has_word(joined) and not polite
            joined += ("; " if new else " ") + line
    return joined


def unlabelled(text: str) -> str:
    """Return the command behind a label that is none; verbs with colons become verbs where they are two."""
    verbs = r"(^|[,;.] ?)((?:{EXTRACT}|{REMOVE}))\s*[:=]\s*"
    if len(compiled(verbs).findall(text)) > 1:
        return compiled(verbs).sub(r"\1\2 ", text)
    if compiled(grammar.VERB_LABEL).match(text) and compiled(grammar.SECOND_VERB).search(text):
        return " ".join(text.replace(":", " ", 1).split())
    match = compiled(grammar.LABEL).fullmatch(text)
    if match is None or len(match["label"].split()) > _MAX_LABEL:
        return text
    verb = _verb(match["label"]) and not compiled(grammar.NOISE_LABEL).fullmatch(match["label"])
    command = None if verb else read_command(match["rest"])
    anaphor = command is not None and matches(grammar.ANAPHOR, command)
    return text if command is None or anaphor else match["rest"]


def labelled(text: str) -> Command | None:
    """Parse "Remove: X" and other verbs with a colon: X is the target, however long."""
    head, colon, tail = text.partition(":")
    if not colon or not has_word(tail):
        return None
    if compiled(grammar.NOISE_LABEL).fullmatch(head.strip()):
        return Command(Task.REMOVE, tail)
    command = _verb(head)
    return Command(command.task, tail) if command else None


def _verb(head: str) -> Command | None:
    command = read_command(head.strip() + " x")
    return command if command is not None and command.target == "x" else None
