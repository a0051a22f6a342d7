"""Declare the options of commands that read a data set, and read its clips."""

import dataclasses
from typing import TYPE_CHECKING

from hsmtss_jax.option import option

if TYPE_CHECKING:
    from hsmtss_jax.data.sources import Clip, ClipSource


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataOptions:
    """Declare where the data set lies."""

    data: str = option("corpora/opensounds", "the data set's folder", metavar="FOLDER")


@dataclasses.dataclass(frozen=True, kw_only=True)
class SplitOptions(DataOptions):
    """Declare a split of a prepared data set."""

    split: str = option("test", "of the data set")


@dataclasses.dataclass(frozen=True, kw_only=True)
class MixtureOptions(DataOptions):
    """Declare mixtures of the clips of a prepared data set."""

    snr: tuple[float, float] = option((-15.0, 15.0), "range of the mixtures' SNR", metavar="DB")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClipOptions(SplitOptions):
    """Declare clips of a split."""

    count: int | None = option(
        None, "clips, going round the labels", low=1, metavar="N", default_help="all"
    )


@dataclasses.dataclass(frozen=True)
class Clips:
    """Hold the chosen clips: numbers in the source, and what is known of them."""

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
