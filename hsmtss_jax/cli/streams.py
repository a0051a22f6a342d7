"""Keep the standard streams usable: closed ones, narrow encodings, readers that leave."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import IO

READER_LEFT = 141  # as of a program that SIGPIPE ended


@contextlib.contextmanager
def steady_streams() -> Iterator[None]:
    """Give every closed standard stream an end, and print what an encoding lacks as escapes.

    A closed stream's number would else be the next file's: what is printed would land in a result.
    """
    _open_closed()
    before = sys.stdin, sys.stdout, sys.stderr
    with contextlib.ExitStack() as stack:
        nowhere = stack.enter_context(open(os.devnull, "r+"))
        sys.stdin, sys.stdout, sys.stderr = (each or nowhere for each in before)
        errors = [(each, getattr(each, "errors", None)) for each in before[1:]]
        for stream, _ in errors:
            _replacing(stream, "backslashreplace")
        try:
            yield
        finally:
            sys.stdin, sys.stdout, sys.stderr = before
            for stream, kind in errors:
                _replacing(stream, kind)


def finish_output() -> None:
    """Write out what is printed so far. Raises BrokenPipeError where nobody reads it."""
    if sys.stdout is not None:
        sys.stdout.flush()


def reader_left() -> int:
    """Drop what is still to be printed, without a word, and return the status."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # no file behind it
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    return READER_LEFT


def _open_closed() -> None:
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)


def _replacing(stream: IO[str] | None, errors: str | None) -> None:
    """Set what a text stream does with what its encoding lacks, where that can be set."""
    if stream is not None and errors is not None and hasattr(stream, "reconfigure"):
        with contextlib.suppress(OSError, ValueError):
            stream.reconfigure(errors=errors)
