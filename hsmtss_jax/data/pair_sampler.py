"""Draw the further clips of a mixture: without a common tag, by label, and as alike as the config asks."""

from collections.abc import Iterable, Sequence

import numpy as np

from hsmtss_jax.config import DataConfig
from hsmtss_jax.data.sources import Clip, ClipSource, overlaps

MAX_TRIES = 64


class PairSampler:
    """Draw further clips of a mixture: labels by their size ** (1 - balance), then a clip of the label.

    Of several data sets each has its share of the draws, and its own labels. A share of the draws,
    ``config.similar_probability``, is among clips that have a category in common with the first given
    one, and another, ``config.companion_probability``, among those whose events are heard together with
    its own in some clip of the data. Where there is none, the draw is an ordinary one.
    """

    def __init__(self, source: ClipSource, config: DataConfig) -> None:
        self._clips, self._config = source.clips, config
        self._groups, shares = [], []
        self._kin = _Kin(config)
        for part in source.parts:
            labels: dict[str, list[int]] = {}
            for i in range(part.start, part.stop):
                clip = source.clips[i]
                labels.setdefault(clip.label, []).append(i)
                self._kin.add(i, clip)
            own = [np.array(labels[name]) for name in sorted(labels)]
            weights = np.array([len(group) for group in own], np.float64) ** (1 - config.balance)
            shares.append(part.weight * weights / weights.sum())
            self._groups += own
        share = np.concatenate(shares)
        self._cumulative = np.cumsum(share / share.sum())

    def draw(self, given: Sequence[int], rng: np.random.Generator) -> int:
        """Draw the index of a clip that shares no tags with the clips ``given``.

        Raises:
          ValueError: the tags of all clips meet theirs.
        """
        clips = [self._clips[i] for i in given]
        near = self._kin.candidates(clips[0], rng)
        if near is not None:
            for _ in range(MAX_TRIES):
                other = int(near[int(rng.integers(len(near)))])
                if self._fits(other, clips):
                    return other
        for _ in range(MAX_TRIES):
            label = int(np.searchsorted(self._cumulative, rng.random(), side="right"))
            group = self._groups[min(label, len(self._groups) - 1)]
            other = int(group[int(rng.integers(len(group)))])
            if self._fits(other, clips):
                return other
        rest = [i for i in range(len(self._clips)) if self._fits(i, clips)]
        if not rest:
            names = ", ".join(repr(clip.id) for clip in clips)
            raise ValueError(f"no clip to mix with {names}: its tags meet those of all others")
        return rest[int(rng.integers(len(rest)))]

    def _fits(self, index: int, given: Iterable[Clip]) -> bool:
        clip = self._clips[index]
        return not any(overlaps(one, clip) for one in given)


class _Kin:
    """Know which clips are similar to a clip, and which are heard together with it."""

    def __init__(self, config: DataConfig) -> None:
        self._similar, self._companion = config.similar_probability, config.companion_probability
        if not 0 <= self._similar + self._companion <= 1:
            raise ValueError(
                "similar_probability and companion_probability are shares of one whole"
            )
        self._by_category: dict[str, list[int]] = {}
        self._by_event: dict[str, list[int]] = {}
        self._together: dict[str, set[str]] = {}

    def add(self, index: int, clip: Clip) -> None:
        """Take a clip into account."""
        if self._similar:
            for category in clip.tags - clip.events:
                self._by_category.setdefault(category, []).append(index)
        if self._companion:
            for event in clip.events:
                self._by_event.setdefault(event, []).append(index)
                self._together.setdefault(event, set()).update(clip.events - {event})

    def candidates(self, clip: Clip, rng: np.random.Generator) -> Sequence[int] | None:
        """Draw whether, and return among which clips the next one is drawn; None: among all."""
        if not self._similar and not self._companion:
            return None
        kind = rng.random()
        if kind < self._similar:
            return _one_of(self._by_category, clip.tags - clip.events, rng)
        if kind < self._similar + self._companion:
            with_it = set().union(*(self._together.get(event, ()) for event in clip.events))
            return _one_of(self._by_event, with_it - clip.events, rng)
        return None


def _one_of(
    groups: dict[str, list[int]], names: Iterable[str], rng: np.random.Generator
) -> list[int] | None:
    """Return the clips of one of the names, by its number of clips; None for none."""
    known = [groups[name] for name in sorted(names) if name in groups]
    if not known:
        return None
    edges = np.cumsum([len(group) for group in known])
    return known[int(np.searchsorted(edges, int(rng.integers(edges[-1])), side="right"))]
