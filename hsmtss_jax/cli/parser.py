"""Parse command lines: argparse subparsers that import a command's module when it is called.

argparse and not tyro: tyro takes no options between positional arguments, draws boxes around its errors,
and needs the types of all subcommands, that is all modules, to print a list of them.
"""

import argparse
import difflib
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from hsmtss_jax.cli.command import Command, Group, load
from hsmtss_jax.cli.options import add_options

_LITERAL = "\0"  # in front of a word that begins like an option and is none; no word holds it


class CommandParser(argparse.ArgumentParser):
    """Parse arguments; a parser fills itself when it is used, and its complaints are a ValueError.

    Args:
      source: the command or group, or (package, name) to import it from.
    """

    def __init__(self, source: Group | tuple[str, str], **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)
        self._source: Command | Group | tuple[str, str] = source
        self.below: dict[str, CommandParser] = {}
        self._filled = self._parsing = False

    def fill(self, everything: bool = False) -> Command | Group:
        """Import the command and add its options, those of all commands below it where ``everything``."""
        if isinstance(self._source, tuple):
            self._source = load(*self._source)
        if not self._filled:
            self._filled = True
            self._add(self._source)
        for parser in self.below.values() if everything else ():
            parser.fill(everything)
        return self._source

    def _add(self, source: Command | Group) -> None:
        self.description = source.description
        self.add_argument(
            "--debug",
            action="store_true",
            default=argparse.SUPPRESS,  # not to undo the one in front of the command
            help="show the traceback of an error",
        )
        if isinstance(source, Command):
            self.usage, self.epilog = source.usage, source.epilog
            if "\n" in source.epilog:
                self.formatter_class = argparse.RawDescriptionHelpFormatter
            add_options(self, source.options)
            self.set_defaults(command=source)
            return
        commands = self.add_subparsers(
            title=f"{source.kind}s", metavar=source.kind.upper(), required=True
        )
        for name, text in source.commands.items():
            parser = commands.add_parser(name, help=text, source=(source.package, name))
            self.below[name] = parser

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse a group's arguments or a command's, whose options may stand between the others."""
        source = self.fill()
        words = list(sys.argv[1:] if args is None else args)
        if isinstance(source, Group):
            return super().parse_known_args(self._route(source, words), namespace)
        if self._parsing:  # the next line comes back here
            return super().parse_known_args(words, namespace)
        self._parsing = True
        try:
            found, unknown = self.parse_known_intermixed_args(_marked(words), namespace)
        finally:
            self._parsing = False
        if unknown:
            self._refuse(unknown[0])
        return found, []

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        return super()._get_value(action, arg_string.removeprefix(_LITERAL))

    @property
    def arguments(self) -> list[argparse.Action]:
        """Return all options and positional arguments of a filled parser."""
        return self._actions

    def format_help(self) -> str:
        """Return the help, of a filled parser."""
        self.fill()
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Raise ValueError."""
        raise ValueError(message)

    def _route(self, group: Group, words: list[str]) -> list[str]:
        """Return the words with the default command put in. Raises ValueError for an unknown command."""
        first = 0
        while first < len(words) and (action := self._option_string_actions.get(words[first])):
            first += 1 if action.nargs == 0 else 2
        word = words[first] if first < len(words) else ""
        if word in group.commands:
            return words
        if word and not word.startswith("-"):
            names = ", ".join(group.commands)
            raise ValueError(f"unknown {group.kind} {word!r}: choose one of {names}")
        if group.default:
            return [*words[:first], group.default, *words[first:]]
        if word:
            self._refuse(word)
        if not words:
            raise ValueError(f"{self.prog} needs a {group.kind}: {', '.join(group.commands)}")
        return words

    def _refuse(self, word: str) -> NoReturn:
        """Raise ValueError for an unknown argument, with the nearest option there is."""
        name = word.partition("=")[0]
        near = difflib.get_close_matches(name, self._option_string_actions, 1)
        hint = f": did you mean {near[0]}?" if near else f": see {self.prog} --help"
        raise ValueError(f"unknown argument {name}{hint}")


def _marked(words: list[str]) -> list[str]:
    """Mark the words behind ``--``: argparse takes them for options where a group of words goes on."""
    first = words.index("--") + 1 if "--" in words else len(words)
    return [*words[:first], *(_LITERAL + word for word in words[first:])]
