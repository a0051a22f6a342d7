"""The Markdown pages of the repository: their fenced blocks, commands and links."""

import re
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "data").rglob("README.md"),
        ROOT / "examples" / "README.md",
    ]
)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMANDS = ("hsmtss", "python", "pip", "pytest", "ruff", "mypy", "sphinx-build", "pre-commit", ".")
_LOOP = re.compile(r"^for (\w+) in ([^;]+); do\n(.*?)^done$", re.MULTILINE | re.DOTALL)


def name(path: Path) -> str:
    """Return a page's path in the repository, as a test's name."""
    return str(path.relative_to(ROOT))


def blocks(path: Path, language: str) -> list[str]:
    """Return the fenced blocks of a page in a language; "" are commands and diagrams."""
    return [text for found, text in _FENCE.findall(path.read_text()) if found == language]


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words of every command of a block, loops unrolled; nothing for a diagram."""
    text = _LOOP.sub(_unrolled, text.replace("\\\n", " "))
    for line in text.splitlines():
        if line.split(" ")[0] not in _COMMANDS:
            continue
        words: list[str] = []
        for word in [*shlex.split(line, comments=True), "&&"]:
            if word != "&&":
                words.append(word)
            elif words:
                yield words
                words = []


def first_words(text: str) -> set[str]:
    """Return what the lines of a block begin with, loops unrolled."""
    text = _LOOP.sub(_unrolled, text.replace("\\\n", " "))
    return {line.split()[0] for line in text.splitlines() if line.strip()}


def links(path: Path) -> Iterator[tuple[str, str]]:
    """Yield text and target of every link and picture of a page, outside fenced blocks."""
    yield from re.findall(r"\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^)\s]+)\)", _prose(path))


def inline_commands(path: Path) -> Iterator[list[str]]:
    """Yield the words of every inline ``hsmtss ...`` of a page."""
    for span in re.findall(r"`(hsmtss [^`]+)`", _prose(path)):
        yield shlex.split(span)


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings."""
    found = re.findall(r"^#+ (.+)$", _FENCE.sub("", path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in found}


def _prose(path: Path) -> str:
    return _FENCE.sub("", path.read_text())


def _unrolled(loop: re.Match[str]) -> str:
    variable, values, body = loop.groups()
    body = textwrap.dedent(body)
    return "".join(body.replace(f"${variable}", value) for value in values.split())
