"""Compare a tagger with the true labels of a set: pairs of labels it keeps apart, and should."""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from hsmtss_jax.data.tagging.rules import Tags

Pair = tuple[str, str]


@dataclasses.dataclass(frozen=True)
class Score:
    """Hold the pairs of labels that a tagger keeps apart and should; that it misses; that it need not."""

    right: int
    missed: Sequence[Pair]
    needless: Sequence[Pair]

    @property
    def precision(self) -> float:
        """Return the share of pairs kept apart that should be."""
        return self.right / max(self.right + len(self.needless), 1)

    @property
    def recall(self) -> float:
        """Return the share of pairs to keep apart that are."""
        return self.right / max(self.right + len(self.missed), 1)


def compare(
    rows: Iterable[Mapping[str, Any]], tagger: Callable[[Sequence[str]], Tags]
) -> tuple[Score, list[str]]:
    """Tag each label's first clip by its first caption; return the score and labels that name no known sound.

    Truth are the set's own tags: ``own_events`` and ``own_tags`` of its index, or ``events`` and ``tags``.
    """
    first: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        first.setdefault(row["label"], row)
    truth = {label: _own(row) for label, row in first.items()}
    made = {label: tagger(row["captions"][:1]) for label, row in first.items()}
    right, missed, needless = 0, [], []
    for a, b in itertools.combinations(sorted(first), 2):
        should, does = truth[a].overlaps(truth[b]), made[a].overlaps(made[b])
        right += should and does
        if should and not does:
            missed.append((a, b))
        if does and not should:
            needless.append((a, b))
    unknown = [label for label, tags in made.items() if tags.tags == tags.events]
    return Score(right, missed, needless), sorted(unknown)


def kept_apart(
    rows: Iterable[Mapping[str, Any]], tagger: Callable[[Sequence[str]], Tags], most: int = 20
) -> tuple[float, list[Pair]]:
    """Return the share of pairs of clips with one label that a tagger keeps apart, and captions of others.

    Of each label the first ``most`` clips with different first captions.
    """
    captions: dict[str, dict[str, Tags]] = {}
    for row in rows:
        known = captions.setdefault(row["label"], {})
        text = row["captions"][0]
        if text not in known and len(known) < most:
            known[text] = tagger([text])
    right, missed = 0, []
    for known in captions.values():
        for (a, x), (b, y) in itertools.combinations(known.items(), 2):
            right += x.overlaps(y)
            if not x.overlaps(y):
                missed.append((a, b))
    return right / max(right + len(missed), 1), missed


def _own(row: Mapping[str, Any]) -> Tags:
    tags = row.get("own_tags", row["tags"])
    events = row.get("own_events", row.get("events", tags))
    return Tags(frozenset(events), frozenset(tags))
