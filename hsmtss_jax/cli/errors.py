"""Report errors of input: one line on the error stream."""

import sys

LONGEST = 400  # characters


def fail(message: str, status: int = 2) -> int:
    """Print an error and return the status."""
    print(f"hsmtss: error: {message}", file=sys.stderr)
    return status


def one_line(error: Exception) -> str:
    """Return an error's message without line breaks, cut where it is too long."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... (--debug shows the rest)"
