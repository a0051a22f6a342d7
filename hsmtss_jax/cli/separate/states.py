"""Find the state files of long recordings, from which an interrupted command goes on."""

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from hsmtss_jax.audio.io import probe
from hsmtss_jax.cli.separate.results import Job

KEPT_FROM = 60.0  # [s] of a recording


def find_states(
    groups: Mapping[Path, Sequence[Job]], resume: bool, *, kept_from: float = KEPT_FROM
) -> dict[str | os.PathLike[str], str | os.PathLike[str]]:
    """Return the state file of every recording that is long enough: beside its first result.

    Without ``resume`` what an interrupted command left there is deleted, with a line.
    """
    states: dict[str | os.PathLike[str], str | os.PathLike[str]] = {}
    for source, jobs in groups.items():
        start, end = jobs[0].part
        seconds = probe(source).seconds if end is None else end
        if jobs[0].shown is not None or seconds - start <= kept_from:
            continue
        target = jobs[0].paths.target
        state = target.with_name(f".{target.name}.resume")
        if state.exists() and not resume:
            state.unlink()
            print(
                f"hsmtss: {target}: starting anew; --resume would have gone on where it stopped",
                file=sys.stderr,
            )
        states[source] = state
    return states


@contextlib.contextmanager
def kept_states(states: Iterable[str | os.PathLike[str]]) -> Iterator[None]:
    """Say after an interrupt that what is done is kept."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        if any(map(os.path.exists, states)):
            print("hsmtss: the same command with --resume goes on", file=sys.stderr)
        raise
