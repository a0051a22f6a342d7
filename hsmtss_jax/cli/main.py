"""The ``hsmtss`` command: finds the subcommand, turns errors of input into one line."""

import importlib
import keyword
import sys
from types import ModuleType

from hsmtss_jax import __version__
from hsmtss_jax.cli.messages import fail, one_line

SUBCOMMANDS = {
    "train": "train one stage from a config file",
    "precompute": "write the frozen features that the separators are trained on",
    "separate": "separate the sound that a sentence asks for",
    "describe": "say what a recording sounds like, from window to window",
    "codec": "turn sound into tokens and back",
    "evaluate": "score a system on a benchmark",
    "visualize": "draw a training run's panels, the attention of G, or a map of global features",
    "bench": "time a part of the system on this machine",
    "doctor": "say what this machine and a checkpoint have, need and lack",
    "export": "write a checkpoint or a bundle as a release bundle",
    "import": "turn public weights into a bundle",
}


def main(argv: list[str] | None = None) -> int:
    """Entry point of ``hsmtss SUBCOMMAND ...``; returns the exit status."""
    argv = list(sys.argv[1:] if argv is None else argv)
    if not argv or argv[0] in ("-h", "--help"):
        print(_usage())
        return 0 if argv else 2
    if argv[0] == "--version":
        print(f"hsmtss {__version__}")
        return 0
    if argv[0] == "--debug" and len(argv) > 1:
        argv = [argv[1], *argv[2:], "--debug"]
    return run(argv[0], argv[1:])


def run(command: str, argv: list[str]) -> int:
    """Runs one subcommand; ``--debug`` among the arguments lets its errors through as tracebacks."""
    if command not in SUBCOMMANDS:
        return fail(f"unknown command {command!r}: choose one of {', '.join(SUBCOMMANDS)}")
    debug = "--debug" in argv
    argv = [argument for argument in argv if argument != "--debug"]
    try:
        return _module(command).main(argv)
    except (ValueError, OSError, FloatingPointError) as error:
        if debug:
            raise
        return fail(one_line(error))
    except KeyboardInterrupt:
        if debug:
            raise
        return fail("interrupted", status=130)


def _module(command: str) -> ModuleType:
    """The module of a command: its name, with an underscore behind it where that is a keyword."""
    name = f"{command}_" if keyword.iskeyword(command) else command
    return importlib.import_module(f"hsmtss_jax.cli.{name}")


def _usage() -> str:
    lines = ["usage: hsmtss [--debug] COMMAND ...", "", "commands:"]
    lines += [f"  {name:<12}{text}" for name, text in SUBCOMMANDS.items()]
    return "\n".join([*lines, "", "hsmtss COMMAND --help explains a command."])


if __name__ == "__main__":
    sys.exit(main())
