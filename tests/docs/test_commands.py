"""Commands of the README and the manual parse with the real parsers; no model is loaded."""

import argparse
import re
import runpy
import sys
import tomllib

import pytest

from hsmtss_jax.cli.main import build_parser, main
from hsmtss_jax.cli.options import read_options
from tests.docs import pages

BLOCKS = [
    (pages.name(path), words)
    for path in pages.PAGES
    for block in pages.blocks(path, "")
    for words in pages.commands(block)
]
SCRIPTS = {"train.py": ["train"], "infer.py": ["separate"]}
EXTRAS = tomllib.loads((pages.ROOT / "pyproject.toml").read_text())["project"]


class Parsed(Exception):
    """A script's parser has taken the command."""


def hsmtss(words: list[str]) -> None:
    """Parse a command's words as ``main`` does. Raises ValueError."""
    given = build_parser().parse_args(words)
    given.command.resolve(given)
    read_options(given, given.command.options)


def script(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a script until its parser has taken the arguments."""
    parse = argparse.ArgumentParser.parse_args

    def parse_and_stop(self, *args, **options):
        parse(self, *args, **options)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_and_stop)
    monkeypatch.setattr(sys, "argv", words)
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(Parsed):
        runpy.run_path(str(pages.ROOT / words[0]), run_name="__main__")


@pytest.mark.parametrize(
    ("page", "words"), BLOCKS, ids=[f"{page}: {' '.join(words)[:60]}" for page, words in BLOCKS]
)
def test_a_command_parses(page, words, monkeypatch, capsys):
    monkeypatch.chdir(pages.ROOT)
    command, *rest = words
    if command == "python" and rest[0] in SCRIPTS:
        command, rest = "hsmtss", [*SCRIPTS[rest[0]], *rest[1:]]
    if command == "hsmtss" and rest[0] == "train":
        assert main([*rest, "--print-config"]) == 0, capsys.readouterr().err
    elif command == "hsmtss":
        hsmtss(rest)
    elif command == "python" and rest[0] != "-m":
        script(rest, monkeypatch)
    elif command == "pip":
        named = re.search(r"\[(.*)\]", rest[-1])
        for extra in named[1].split(",") if named else ():
            assert extra in EXTRAS["optional-dependencies"]


@pytest.mark.parametrize("path", pages.PAGES, ids=pages.name)
def test_inline_commands_are_known(path):
    """In a sentence a command may lack its arguments; its name and its options must exist."""
    for _, *words in pages.inline_commands(path):
        parser = build_parser()
        while parser.below and words and words[0] in parser.below:
            parser = parser.below[words.pop(0)]
            parser.fill()
        shown = parser.format_help()
        for word in words:
            option = word.partition("=")[0]
            known = option in shown if option.startswith("--") else not parser.below
            assert known or word in ("TASK", "COMMAND"), f"{parser.prog} has no {word}"


def test_blocks_hold_commands_or_diagrams():
    """A line that begins with an unknown program would not be checked."""
    for path in pages.PAGES:
        for block in pages.blocks(path, ""):
            if list(pages.commands(block)):
                known = {words[0] for words in pages.commands(block)}
                assert pages.first_words(block) <= known, f"{pages.name(path)}: {block}"


def test_ci_runs_the_newcomer_s_commands():
    """.ci/run holds the README's first two blocks line by line; the second installs what the first does."""
    ci = (pages.ROOT / ".ci" / "run").read_text()
    first, second = pages.blocks(pages.ROOT / "README.md", "")[:2]
    lines = [*first.splitlines()[1:], *second.splitlines()]
    for line in lines:
        assert line in ci.replace("--quiet ", ""), line
