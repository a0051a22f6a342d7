"""Declare which clips of a prepared data set are evaluated, and read them."""

import dataclasses
from typing import TYPE_CHECKING

from hsmtss_jax.option import option

if TYPE_CHECKING:
    from hsmtss_jax.data.sources import Clip, ClipSource

DATA = "corpora/opensounds"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClipOptions:
    """Clips of a prepared data set."""

    data: str = option(DATA, "a prepared data set", metavar="FOLDER")
    split: str = option("test", "of the data set")
    count: int | None = option(
        None, "clips, going round the labels", low=1, metavar="N", default_help="all"
    )


@dataclasses.dataclass(frozen=True)
class Clips:
    """The chosen clips: numbers in the source, and what is known of them."""

    source: "ClipSource"
    order: list[int]

    @property
    def known(self) -> "list[Clip]":
        """Return what is known of each, in order."""
        return [self.source.clips[i] for i in self.order]


def read_clips(options: ClipOptions) -> Clips:
    """Open the data set and choose clips. Raises OSError or ValueError."""
    from hsmtss_jax.data.sources import ClipSource, label_cycle

    source = ClipSource(options.data, options.split)
    return Clips(source, list(label_cycle(source.clips)[: options.count]))
