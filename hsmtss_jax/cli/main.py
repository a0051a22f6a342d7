"""The ``hsmtss`` command: parses the command line, runs a command, turns errors of input into one line."""

import argparse
import os
import sys
from collections.abc import Sequence

from hsmtss_jax import __version__
from hsmtss_jax.cli.command import Group
from hsmtss_jax.cli.completion import SHELLS, PrintCompletion
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.errors import fail, one_line, plain_warnings
from hsmtss_jax.cli.options import read_options
from hsmtss_jax.cli.parser import CommandParser
from hsmtss_jax.cli.streams import finish_output, reader_left, steady_streams
from hsmtss_jax.cli.termination import orderly_termination

GROUP = Group(
    package="hsmtss_jax.cli",
    kind="command",
    commands={
        "train": "train one stage from a config file",
        "recipe": "train all stages in their order, to a scored pipeline",
        "data": "make data sets",
        "sweep": "train variants of a recipe: ablations, grids of settings",
        "compare": "put runs side by side: config, scores, speed, cost",
        "plan": "say what a training will take, before it is begun",
        "precompute": "write the frozen features that the separators are trained on",
        "adapt": "fine-tune a separator on clips of your own sounds",
        "separate": "separate the sound that a sentence asks for",
        "describe": "say what a recording sounds like, from window to window",
        "codec": "turn sound into tokens and back",
        "evaluate": "score a system on a benchmark",
        "benchmark": "score separators, ours or others', on lists of pairs",
        "visualize": "draw what a run, a system or a data set looks like",
        "speed": "time a part of the system on this machine",
        "doctor": "say what this machine and a checkpoint have, need and lack",
        "export": "write a checkpoint or a bundle as a release bundle",
        "import": "turn public weights into a bundle",
    },
    description="Text-queried audio source separation by hierarchical semantic modelling.",
)


def main(argv: Sequence[str] | None = None, context: Context | None = None) -> int:
    """Run ``hsmtss COMMAND ...`` and return the exit status; ``context``: what commands work with."""
    words = list(sys.argv[1:] if argv is None else argv)
    given = argparse.Namespace()
    with steady_streams():
        try:
            status = _run(words, given, context or Context())
            finish_output()
        except BrokenPipeError:
            status = reader_left()
        except Exception as error:
            message = _told(error)
            if message is None or getattr(given, "debug", False):
                raise
            status = fail(message)
        except KeyboardInterrupt:
            if getattr(given, "debug", False):
                raise
            status = fail("interrupted", status=130)
        except SystemExit as ended:  # --help, --version, a signal
            status = ended.code if isinstance(ended.code, int) else 0
        return status


def _run(words: Sequence[str], given: argparse.Namespace, context: Context) -> int:
    """Parse the words into ``given`` and run the command."""
    parser = build_parser()
    if not words:
        parser.print_help()
        return 2
    if "jax" not in sys.modules:
        os.environ.pop("JAX_ENABLE_X64", None)  # networks compute in 32 bits and below
    parser.parse_args(words, given)
    command = given.command
    command.resolve(given)
    with orderly_termination(), plain_warnings():
        return int(command.run(read_options(given, command.options), context))


def _told(error: Exception) -> str | None:
    """Return the line for an error of input or of the place we run in; None for one of ours."""
    if isinstance(error, ValueError | OSError | FloatingPointError):
        return one_line(error)
    if isinstance(error, RuntimeError | AssertionError) and "jax" in sys.modules:
        from hsmtss_jax.dist import missing_platforms

        return missing_platforms()
    return None


def build_parser() -> CommandParser:
    """Return the parser of all commands."""
    parser = CommandParser(GROUP, prog="hsmtss")
    parser.fill()
    parser.add_argument("--version", action="version", version=f"hsmtss {__version__}")
    parser.add_argument(
        "--print-completion",
        action=PrintCompletion,
        choices=SHELLS,
        help='print shell completion: eval "$(hsmtss --print-completion bash)"',
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
