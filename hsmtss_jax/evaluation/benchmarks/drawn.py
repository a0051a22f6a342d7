"""Test sets after HSM-TSS section IV-A (Table I): pairs drawn from the test parts of published sets.

The paper prints sizes and rules but no list, so these are other pairs of the same kind: two recordings
without a common tag, at a ratio that is uniform in decibels. A list that was drawn is a file, to be shared.
"""

import dataclasses
import math
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from hsmtss_jax.audio.io import probe
from hsmtss_jax.data.preparation.item import Item, Layout, Place
from hsmtss_jax.data.preparation.layouts.registry import layout_of
from hsmtss_jax.evaluation.benchmarks.pair_list import PairRow

TRIES = 1_000  # for a second sound without a common tag
SHORTEST = 0.5  # recordings that are left out [s]
_NO_TAGS = frozenset(
    re.findall(
        r"\w+",
        """
    about across after again against along also another around away back background before being
    behind below beside between both down during each ends from further have having heard high into
    just less like loud loudly makes making more moves moving multiple near nearby next noise noises
    occasional occasionally occur occurs off once onto other over past quiet quietly rapidly
    repeatedly several short slowly softly some someone something sound sounds starts steady stops
    than that their them then there they this through time times together towards twice under until
    very various what when where which while with within without
    """,
    )
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PaperSet:
    """Describe a test set of the paper.

    Attributes:
      title: in the paper's tables.
      sets: published sets whose test parts it is drawn from, in equal shares.
      pairs: how many there are.
      snr_db: the ratio is uniform between - and + this [dB].
      seconds: length of a pair; a shorter target has its own [s]; 0: always the target's own.
      lengths: of recordings that are taken [s].
      sources: how many recordings are taken, all sets together; 0: all.
    """

    title: str
    sets: tuple[str, ...]
    pairs: int = 500
    snr_db: float = 15.0
    seconds: float = 10.0
    lengths: tuple[float, float] = (SHORTEST, np.inf)
    sources: int = 0


PAPER_SETS = {
    "3sets": PaperSet(
        title="3 Sets", sets=("audiocaps", "clotho", "fsd50k"), pairs=1000, sources=4000
    ),
    "clotho": PaperSet(title="Clotho", sets=("clotho",), seconds=0.0, lengths=(15.0, 30.5)),
    "audiocaps": PaperSet(title="AudioCaps", sets=("audiocaps",)),
    "fsd50k": PaperSet(title="FSD50K", sets=("fsd50k",), seconds=0.0, lengths=(5.0, 30.5)),
    "music": PaperSet(title="MUSIC", sets=("music",), snr_db=5.0),
}


@dataclasses.dataclass(frozen=True)
class Source:
    """Store a recording. file: below the folder of recordings; seconds: from ``start`` on."""

    file: str
    texts: tuple[str, ...]
    tags: frozenset[str]
    group: str
    start: float = 0.0
    seconds: float = 0.0


def read_sources(
    paper_set: PaperSet,
    folder: str | Path,
    *,
    skip_missing: bool = False,
    find: Callable[[str], Layout] = layout_of,
) -> list[list[Source]]:
    """Read the test parts of a set's sources: a list a set, of recordings that are on this machine.

    Args:
      paper_set: which.
      folder: of the one set, with its official tables; of several sets, a folder that holds one of each
        name.
      skip_missing: leave out recordings that are not there.
      find: gives a set's layout by its name.

    Raises OSError or ValueError for a table or a recording that is missing.
    """
    found = []
    for name in paper_set.sets:
        inside = name if len(paper_set.sets) > 1 else ""
        layout = find(name)
        place = Place(root=Path(folder) / inside, parts=layout.choose(()))
        items = [item for item in layout.read(place) if item.split == "test"]
        missing = [item.path for item in items if not item.found]
        if missing and not skip_missing:
            raise ValueError(
                f"{Path(folder) / inside} lacks {len(missing)} of {len(items)} recordings, such as "
                f"{min(missing)}: get them, or leave them out with --skip-missing"
            )
        found.append([_source(item, inside) for item in items if item.found and item.captions])
    return found


def draw_pairs(
    paper_set: PaperSet, sources: Sequence[Sequence[Source]], folder: str | Path, seed: int = 0
) -> list[PairRow]:
    """Draw the pairs; each depends on seed, number and sources alone. Recordings are measured as needed.

    Raises ValueError where the sources do not give a pair.
    """
    rng = np.random.default_rng(seed)
    share = -(-paper_set.sources // len(sources)) if paper_set.sources else None
    order = [source for each in sources for source in _shuffled(each, rng)[:share]]
    fitting = _Fitting(paper_set, Path(folder))
    rows: list[PairRow] = []
    turn: list[Source] = []
    while len(rows) < paper_set.pairs:
        turn = turn or fitting.only(_shuffled(order, rng))
        rows.append(_pair(len(rows), turn.pop(), order, fitting, rng))
    return rows


class _Fitting:
    """Measure recordings, once each, and say which are of a length to be taken."""

    def __init__(self, paper_set: PaperSet, folder: Path) -> None:
        self.paper_set, self._folder = paper_set, folder
        self._seconds: dict[str, float] = {}

    def seconds(self, source: Source) -> float:
        """Return the length of a source [s]."""
        if source.file not in self._seconds:
            self._seconds[source.file] = probe(self._folder / source.file).seconds
        rest = self._seconds[source.file] - source.start
        return min(rest, source.seconds) if source.seconds else rest

    def fits(self, source: Source) -> bool:
        """Return whether a source is of a length that is taken."""
        low, high = self.paper_set.lengths
        return low <= self.seconds(source) <= high

    def only(self, sources: Iterable[Source]) -> list[Source]:
        """Return those that fit. Raises ValueError for none."""
        low, high = self.paper_set.lengths
        found = [source for source in sources if self.fits(source)]
        if not found:
            raise ValueError(f"no recording is {low:g} to {high:g} s long")
        return found


def _pair(
    number: int,
    target: Source,
    others: Sequence[Source],
    fitting: _Fitting,
    rng: np.random.Generator,
) -> PairRow:
    other = _other(target, others, fitting, rng)
    paper_set = fitting.paper_set
    seconds = min(paper_set.seconds or np.inf, fitting.seconds(target))
    starts = [_start(source, seconds, fitting, rng) for source in (target, other)]
    return PairRow(
        name=f"{number:04d}",
        text=target.texts[rng.integers(len(target.texts))],
        target=target.file,
        other=other.file,
        text_other=other.texts[rng.integers(len(other.texts))],
        snr_db=round(float(rng.uniform(-paper_set.snr_db, paper_set.snr_db)), 2),
        seconds=math.floor(1000 * seconds) / 1000,
        group=target.group,
        start=starts[0],
        start_other=starts[1],
    )


def _other(
    target: Source, others: Sequence[Source], fitting: _Fitting, rng: np.random.Generator
) -> Source:
    """Draw a recording that shares neither tag nor recording with the target. Raises ValueError."""
    for index in rng.integers(len(others), size=TRIES):
        other = others[index]
        if other.group != target.group and not other.tags & target.tags and fitting.fits(other):
            return other
    raise ValueError(f"{target.file} has no other sound without a tag in common: more are needed")


def _start(source: Source, seconds: float, fitting: _Fitting, rng: np.random.Generator) -> float:
    """Draw where a piece begins in a longer recording [s]."""
    spare = max(0.0, fitting.seconds(source) - seconds)
    return round(source.start + float(rng.uniform(0, spare)), 2) if spare else source.start


def _shuffled(sources: Sequence[Source], rng: np.random.Generator) -> list[Source]:
    return [sources[i] for i in rng.permutation(len(sources))]


def _source(item: Item, inside: str) -> Source:
    return Source(
        file=f"{inside}/{item.path}" if inside else item.path,
        texts=item.captions,
        tags=_tags(item),
        group=item.group or item.id,
        start=item.start,
        seconds=item.stop - item.start if item.stop else 0.0,
    )


def _tags(item: Item) -> frozenset[str]:
    """Return what a recording's sounds are called; without tags, the words of its captions."""
    if item.events or item.tags:
        return frozenset(item.events or item.tags)
    words = re.findall(r"[a-z]{3,}", " ".join(item.captions).lower())
    return frozenset(re.sub(r"(ing|ed|es|s)$", "", word) for word in words if word not in _NO_TAGS)
