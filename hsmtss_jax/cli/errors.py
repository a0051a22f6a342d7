"""Report errors of input, and warnings of ours: one line on the error stream."""

import contextlib
import sys
import warnings
from collections.abc import Iterator
from typing import Any

LONGEST = 400  # characters


def fail(message: str, status: int = 2) -> int:
    """Print an error and return the status."""
    print(f"hsmtss: error: {message}", file=sys.stderr)
    return status


def caution(message: str) -> None:
    """Print a warning."""
    print(f"hsmtss: warning: {message}", file=sys.stderr)


def one_line(error: Exception) -> str:
    """Return an error's message without line breaks, cut where it is too long."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... (--debug shows the rest)"


@contextlib.contextmanager
def plain_warnings() -> Iterator[None]:
    """Print each warning of this package once, as one line, without the place in the code."""
    shown: set[str] = set()
    with warnings.catch_warnings():
        show_others = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            text = " ".join(str(message).split())
            if category.__module__.partition(".")[0] != "hsmtss_jax":
                show_others(message, category, *place, **more)
            elif text not in shown:
                shown.add(text)
                caution(text)

        warnings.showwarning = show
        yield
