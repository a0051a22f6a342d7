"""Show progress bars on the error stream of a terminal."""

import contextlib
from collections.abc import Iterator
from typing import Protocol


class Progress(Protocol):
    """Takes how much is done, and how much there is where that was not known."""

    def __call__(self, done: int, total: int | None = None) -> None:
        """Draw it."""


@contextlib.contextmanager
def progress_bar(
    total: int | None = None, *, unit: str, name: str | None = None, quiet: bool = False
) -> Iterator[Progress]:
    """Give a function that draws a bar; nothing is drawn without a terminal."""
    from tqdm import tqdm

    with tqdm(total=total, unit=unit, desc=name, disable=quiet or None, leave=False) as bar:

        def update(done: int, total: int | None = None) -> None:
            if total is not None:
                bar.total = total
            bar.update(done - bar.n)

        yield update
