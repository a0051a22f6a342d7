"""Print shell completion for all commands and their options."""

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hsmtss_jax.cli.parser import CommandParser

SHELLS = ("bash", "zsh", "tcsh")
PATHS = {"PATH", "FILE", "FOLDER", "BUNDLE"}  # metavars of options that name files


class PrintCompletion(argparse.Action):
    """Print a script for the shell and stop: ``--print-completion SHELL``."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Print the script."""
        import shtab

        from hsmtss_jax.cli.parser import CommandParser

        assert isinstance(parser, CommandParser)
        parser.fill(everything=True)
        _complete_files(parser)
        print(shtab.complete(parser, shell=values))
        parser.exit()


def _complete_files(parser: "CommandParser") -> None:
    """Let arguments that name files be completed as such."""
    import shtab

    for action in parser.arguments:
        if action.choices is None and (not action.option_strings or action.metavar in PATHS):
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    for below in parser.below.values():
        _complete_files(below)
