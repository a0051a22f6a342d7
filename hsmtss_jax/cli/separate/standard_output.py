"""``-o -``: the separated sound on the standard output, and nothing else there."""

import contextlib
import dataclasses
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from hsmtss_jax.cli.separate.options import SeparateCommand

SHOWN = "-"


def is_wanted(command: SeparateCommand) -> bool:
    """Return whether the sound goes to the standard output."""
    return command.place.output == SHOWN


@contextlib.contextmanager
def temporary_file(command: SeparateCommand) -> Iterator[SeparateCommand]:
    """Give the command with a file in place of the standard output; it is copied there at the end.

    A header tells a length that is known only then, and a failed run must give nothing.

    Raises:
      ValueError: the standard output is a terminal, or more than one sound would go there.
    """
    stream = _checked(command)
    with tempfile.TemporaryDirectory(prefix="hsmtss-") as folder:
        path = Path(folder, f"stdout.{command.output.format or 'wav'}")
        yield dataclasses.replace(
            command,
            place=dataclasses.replace(command.place, output=str(path)),
            reports=dataclasses.replace(command.reports, figure=False, quiet=True),
        )
        if path.exists():
            with path.open("rb") as file:
                shutil.copyfileobj(file, stream)
            stream.flush()


def _checked(command: SeparateCommand) -> IO[bytes]:
    """Return the stream of bytes. Raises ValueError for what cannot go there."""
    place, reports = command.place, command.reports
    alone = {
        "--two-stems": place.two_stems,
        "--filename": place.filename is not None,
        "--skip-existing": place.skip_existing,
        "--resume": place.resume,
        "--figure": bool(reports.figure),
        "--json -": reports.json == "-",
        "all prompts but one": len(command.request.prompt) > 1,
    }
    if unfit := [name for name, given in alone.items() if given]:
        raise ValueError(
            f"-o - is for one sound alone: leave out {', '.join(unfit)}, or name a file"
        )
    stream: IO[bytes] | None = getattr(sys.stdout, "buffer", None)
    if stream is None or sys.stdout.isatty():
        raise ValueError("-o - writes a sound, not to a terminal: pipe it on, or name a file")
    return stream
