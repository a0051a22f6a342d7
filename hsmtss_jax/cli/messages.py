"""What a command says when something is wrong: one line on the error stream."""

import argparse
import difflib
import sys
from typing import Any, NoReturn

LONGEST = 400  # characters


class CommandParser(argparse.ArgumentParser):
    """An argument parser whose complaints are a ValueError of one line; options are spelt out."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **options})

    def error(self, message: str) -> NoReturn:
        """Raises ValueError; an unknown option is answered with the nearest one there is."""
        head, _, unknown = message.partition("unrecognized arguments: ")
        if unknown and not head:
            raise ValueError(self._unknown(unknown))
        raise ValueError(message)

    def _unknown(self, arguments: str) -> str:
        name = arguments.split()[0].partition("=")[0]
        near = difflib.get_close_matches(name, self._option_string_actions, 1)
        hint = f": did you mean {near[0]}?" if near else f": see {self.prog} --help"
        return f"unknown argument {name}{hint}"


def fail(message: str, status: int = 2) -> int:
    """Prints an error and returns the status."""
    print(f"hsmtss: error: {message}", file=sys.stderr)
    return status


def one_line(error: Exception) -> str:
    """An error's message without line breaks, cut where it is too long."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... (--debug shows the rest)"
