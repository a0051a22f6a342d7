"""Report separations: JSON lines, a line for people, a figure."""

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from hsmtss_jax.atomic import replace_file
from hsmtss_jax.audio.io import probe, read_blocks

if TYPE_CHECKING:
    from hsmtss_jax.inference.options import Activity

DRAWN = 300.0  # [s] of a recording that a figure shows
DRAWN_RATE = 16_000
Emit = Callable[[dict[str, Any]], None]


@contextlib.contextmanager
def json_lines(where: str | None) -> Iterator[Emit]:
    """Give a function that writes a document as a line: to a file, to "-" (standard output), or nowhere.

    The file takes its name at the end, with the lines there are, however the command ended.
    """
    if where is None:
        yield lambda document: None
    elif where == "-":
        yield lambda document: print(json.dumps(document), flush=True)
    else:
        with _kept_file(Path(where)) as file:
            yield lambda document: print(json.dumps(document), file=file, flush=True)


@contextlib.contextmanager
def _kept_file(path: Path) -> Iterator[IO[str]]:
    error: BaseException | None = None
    with replace_file(path) as work, work.open("w", encoding="utf-8") as file:
        try:
            yield file
        except BaseException as raised:  # the lines so far are complete: keep them
            error = raised
    if error is not None:
        raise error


def check_writable(where: str | None) -> None:
    """Raise OSError before any work where ``json_lines`` could not write."""
    if where is None or where == "-":
        return
    folder = Path(where).absolute().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK) or os.path.isdir(where):
        raise OSError(f"--json {where}: cannot be written there")


def say(message: str) -> None:
    """Print a line for people, clear of a progress bar."""
    from tqdm import tqdm

    tqdm.write(message, file=sys.stdout)
    sys.stdout.flush()


def draw(
    path: Path,
    source: Path,
    result: Path,
    span: tuple[float, float | None],
    caption: str,
    activity: "Activity",
    reference: Path | None,
) -> None:
    """Draw a PNG with the mixture, the result, a reference, and when the target sounds.

    Of long recordings the first five minutes. Raises AudioError for a reference that cannot be read.

    Args:
      path: the PNG.
      source: file of the mixture.
      result: file of the result.
      span: start and end [s] of what was separated; None: the end of the mixture.
      caption: heading of the result.
      activity: when the target sounds.
      reference: file of the true target, or None.
    """
    from hsmtss_jax.visualization import save_comparison

    rate = min(DRAWN_RATE, probe(source).sample_rate)
    sounds = {"mixture": _head(source, rate, *span), caption: _head(result, rate)}
    if reference is not None:
        sounds["target"] = _head(reference, rate)
    shown = activity.times <= DRAWN
    long = len(sounds["mixture"]) >= DRAWN * rate
    title = f"the first {DRAWN / 60:g} minutes" if long else ""
    curve = activity.times[shown], activity.values[shown]
    save_comparison(path, sounds, rate, title, activity=curve)


def _head(path: Path, rate: int, start: float = 0.0, end: float | None = None) -> np.ndarray:
    """Read the mono sound of a file's part at ``rate``, five minutes at most."""
    info = probe(path)
    first = round(start * info.sample_rate)
    last = info.frames if end is None else min(info.frames, round(end * info.sample_rate))
    last = min(last, first + round(DRAWN * info.sample_rate))
    blocks = read_blocks(path, 1 << 16, sample_rate=rate, mono=True, start=first, stop=last)
    return np.concatenate([block[:, 0] for block in blocks])
