"""Join several data sets into one source, each with a weight, a subset and a cap in hours."""

import bisect
import dataclasses
import re
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import overload

import numpy as np

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.config import DataConfig, SetConfig
from hsmtss_jax.data.index_rows import Row
from hsmtss_jax.data.sources import Clip, ClipSource, Part


def open_clips(config: DataConfig, split: str) -> ClipSource:
    """Open the clips of a split: those of ``config.root``, or of ``config.sets`` behind one another.

    Clips of several sets are called "set/id". Outside training, sets without the split are left out and
    caps do not count.

    Raises:
      OSError: no set has the split.
      ValueError: two sets of one name, weights of some sets only, a subset that no clip is in.
    """
    if root := single_root(config):
        return ClipSource(root, split)
    _check(config.sets)
    train = split == "train"
    opened, missing = [], []
    for each in config.sets:
        choose = Choice(each.subset, each.hours if train else 0.0)
        try:
            source = ClipSource(each.root, split, chosen=choose, prefix=f"{set_name(each)}/")
        except OSError as error:
            if train:
                raise
            missing.append(error)
        else:
            opened.append((source, each.weight))
    if not opened:
        raise missing[0]
    return JoinedSource([source for source, _ in opened], [weight for _, weight in opened])


def single_root(config: DataConfig) -> str:
    """Return the one data set to read, "" where there are several.

    Raises:
      ValueError: both are given, or neither.
    """
    if config.root and config.sets:
        raise ValueError(
            "data.root and data.sets are both given: data.sets=[] leaves the one, data.root= the others"
        )
    if not config.root and not config.sets:
        raise ValueError("no data set: give data.root or data.sets")
    return config.root


def set_name(config: SetConfig) -> str:
    """Return what a set's clips are called by: its name, or that of its folder."""
    return config.name or Path(config.root).name


def _check(sets: Sequence[SetConfig]) -> None:
    names = [set_name(each) for each in sets]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two sets are called {name!r}: give them a name each")
    given = [each.weight for each in sets if each.weight]
    if any(weight < 0 for weight in given) or (given and len(given) < len(sets)):
        raise ValueError("give every set a weight above 0, or none: each then counts by its clips")


class JoinedSource(ClipSource):
    """Access the clips of several sources behind one another."""

    def __init__(self, sources: Sequence[ClipSource], weights: Sequence[float]) -> None:
        """Join them. weights: of each; all 0: by its number of clips."""
        self._sources, self._weights = list(sources), list(weights)
        self._starts = [0, *np.cumsum([len(source) for source in sources]).tolist()]
        self.clips = _JoinedClips([source.clips for source in sources], self._starts)

    @property
    def parts(self) -> Sequence[Part]:
        edges = zip(self._starts[:-1], self._starts[1:], self._weights, strict=True)
        return [Part(start, stop, weight or float(stop - start)) for start, stop, weight in edges]

    def samples(self, index: int) -> np.ndarray:
        part = bisect.bisect_right(self._starts, index) - 1
        return self._sources[part].samples(index - self._starts[part])


class _JoinedClips(Sequence[Clip]):
    def __init__(self, parts: Sequence[Sequence[Clip]], starts: Sequence[int]) -> None:
        self._parts, self._starts = parts, starts

    def __len__(self) -> int:
        return self._starts[-1]

    @overload
    def __getitem__(self, index: int) -> Clip: ...
    @overload
    def __getitem__(self, index: slice) -> list[Clip]: ...
    def __getitem__(self, index: int | slice) -> Clip | list[Clip]:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        number = range(len(self))[index]
        part = bisect.bisect_right(self._starts, number) - 1
        return self._parts[part][number - self._starts[part]]


@dataclasses.dataclass(frozen=True)
class Choice:
    """Choose records of an index: those that match every "field=regex", up to a number of hours.

    The cap takes clips in the order of a hash of their ids, so a lower cap chooses among the clips of a
    higher one, whatever the order of the records.
    """

    subset: tuple[str, ...] = ()
    hours: float = 0.0

    def __call__(self, rows: Sequence[Row]) -> np.ndarray:
        """Return the numbers of the records, ascending."""
        if not self.subset and not self.hours:
            return np.arange(len(rows))
        tests = [_test(text, rows[0]) for text in self.subset]
        found = [i for i, row in enumerate(rows) if all(test(row) for test in tests)]
        if self.hours:
            found = self._cap(rows, found)
        return np.array(found, np.int64)

    def _cap(self, rows: Sequence[Row], found: list[int]) -> list[int]:
        keys = {i: (zlib.crc32(rows[i]["id"].encode()), rows[i]["id"]) for i in found}
        left, kept = self.hours * 3600 * SAMPLE_RATE, []
        for i in sorted(found, key=lambda i: keys[i]):
            if left <= 0:
                break
            kept.append(i)
            left -= rows[i]["samples"]
        return sorted(kept)


def _test(text: str, row: Row) -> Callable[[Row], bool]:
    """Return whether a row's field matches: of a list one of its values, from its beginning."""
    field, equals, pattern = text.partition("=")
    if not equals or field not in row:
        raise ValueError(f"subset {text!r} is not field=regex with one of {', '.join(row)}")
    try:
        found = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"subset {text!r}: {error}") from error

    def test(row: Row) -> bool:
        value = row.get(field, "")
        return any(found.match(str(one)) for one in (value if isinstance(value, list) else [value]))

    return test
