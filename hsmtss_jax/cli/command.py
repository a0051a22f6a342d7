"""Describe commands as data: what a command says of itself, its options, what runs it."""

import argparse
import dataclasses
import importlib
import keyword
from collections.abc import Callable, Mapping
from typing import Any

from hsmtss_jax.cli.context import Context


@dataclasses.dataclass(frozen=True, kw_only=True)
class Command:
    """Describe a command that runs. Its module calls it COMMAND.

    Attributes:
      description: the help's first paragraph.
      options: a frozen dataclass, whose fields are the command line.
      run: takes such an object and the context; returns the exit status. Errors of input are raised as
        ValueError or OSError.
      epilog: the help's last paragraph.
      usage: in place of the generated one.
      resolve: changes what was given on the command line before ``options`` is made of it, where the
        meaning of one option depends on whether another was given. Raises ValueError.
    """

    description: str
    options: type
    run: Callable[[Any, Context], int]
    epilog: str = ""
    usage: str | None = None
    resolve: Callable[[argparse.Namespace], None] = lambda given: None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Group:
    """Describe a command with commands of its own, modules of ``package``, which calls it GROUP.

    Attributes:
      package: full name of the package.
      kind: what one of the commands is called ("task").
      commands: name -> a line of help.
      default: the command when none is named.
      description: the help's first paragraph.
    """

    package: str
    kind: str
    commands: Mapping[str, str]
    default: str = ""
    description: str = ""


def load(package: str, name: str) -> Command | Group:
    """Import a command: its module has its name, with an underscore behind it where that is a keyword."""
    module = importlib.import_module(f"{package}.{name}{'_' * keyword.iskeyword(name)}")
    found = getattr(module, "GROUP", None) or module.COMMAND
    assert isinstance(found, Command | Group)
    return found
