"""Show progress bars on the error stream of a terminal."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import TypeVar

from hsmtss_jax.progress import Progress

Item = TypeVar("Item")


@contextlib.contextmanager
def progress_bar(
    total: int | None = None, *, unit: str, name: str | None = None, quiet: bool = False
) -> Iterator[Progress]:
    """Give a function that draws a bar; nothing is drawn without a terminal."""
    from tqdm import tqdm

    with tqdm(total=total, unit=unit, desc=name, disable=quiet or None, leave=False) as bar:

        def update(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield update


def counted(items: Iterable[Item], total: int, progress: Progress) -> Iterator[Item]:
    """Yield the items; report each once the next is asked for."""
    for done, item in enumerate(items, start=1):
        yield item
        progress(done, total)
