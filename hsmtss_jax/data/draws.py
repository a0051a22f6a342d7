"""Draw recipes: the choices of a mixture in one order, whether clips are heard or only known by level."""

import abc
import dataclasses
import functools
from typing import Generic, Protocol, TypeVar

import numpy as np

from hsmtss_jax.config import DataConfig
from hsmtss_jax.data import channel
from hsmtss_jax.data.pair_sampler import MAX_TRIES, PairSampler
from hsmtss_jax.data.placement import Placement
from hsmtss_jax.data.recipe import EXTRACT, REMOVE, Layer, Recipe
from hsmtss_jax.data.sources import ClipSource

LAYER_DB = (-10.0, 10.0)  # active level of a third clip over that of the one it joins


class Placed(Protocol):
    """Hold a clip in its window."""

    @property
    def placement(self) -> Placement: ...


P = TypeVar("P", bound=Placed)


@dataclasses.dataclass(frozen=True)
class Drawn(Generic[P]):
    """Hold a recipe with its clips: numbers in the source and places, target, other and layers in order."""

    recipe: Recipe
    numbers: list[int]
    placed: list[P]


class Draws(abc.ABC, Generic[P]):
    """Draw recipes from a source. Picklable.

    Args:
      source: the clips.
      config: how they are mixed.
      samples: length of a mixture.
      augmented: clips are augmented.
      train: captions are drawn among the paraphrases; else the data set's own caption is used.

    Raises:
      ValueError: choices that no mixture can be made with.
    """

    def __init__(
        self, source: ClipSource, config: DataConfig, samples: int, *, augmented: bool, train: bool
    ) -> None:
        _check(config)
        self.source, self.config, self.samples = source, config, samples
        self._augmented, self._train = augmented, train

    @functools.cached_property
    def _pairs(self) -> PairSampler:
        return PairSampler(self.source, self.config)

    @abc.abstractmethod
    def _place(self, index: int, rng: np.random.Generator) -> P:
        """Draw the place of a clip."""

    @abc.abstractmethod
    def _ratio(self, a: P, b: P) -> float:
        """Return the ratio of two clips' levels over the window [dB]."""

    @abc.abstractmethod
    def _active_ratio(self, a: P, b: P) -> float:
        """Return the ratio of two clips' levels over their active parts [dB]."""

    def draw_recipe(self, target: int, rng: np.random.Generator) -> Drawn[P]:
        """Draw a mixture with clip ``target`` as A.

        mix_mode "raw_reject" draws the other clip again while the ratio is out of config.snr_db (the
        last of MAX_TRIES is then clamped into the range); "scale" sets a uniformly drawn ratio.
        """
        clips = self.source.clips
        task = REMOVE if rng.random() < self.config.remove_probability else EXTRACT
        snr = self._draw_snr(rng)
        a = self._place(target, rng)
        other, b, snr = self._draw_other(target, a, snr, rng)
        captions = self._caption(target, rng), self._caption(other, rng)
        layers = self._draw_layers([target, other], rng)
        numbers = [target, other, *(index for index, _, _ in layers)]
        recipe = Recipe(
            target=clips[target].id,
            other=clips[other].id,
            target_placement=a.placement,
            other_placement=b.placement,
            snr=snr,
            task=task,
            caption_target=captions[0],
            caption_other=captions[1],
            layers=tuple(Layer(clips[i].id, c.placement, gain) for i, c, gain in layers),
            caption_absent=self._draw_absent(numbers, rng),
            channel=channel.draw(self.config, rng) if self._augmented else channel.UNCHANGED,
        )
        return Drawn(recipe, numbers, [a, b, *(placed for _, placed, _ in layers)])

    def _draw_snr(self, rng: np.random.Generator) -> float | None:
        config = self.config
        if config.mix_mode != "scale":
            return None
        snr = float(rng.uniform(*config.snr_db))
        if config.clean_probability and rng.random() < config.clean_probability:
            snr = float(rng.uniform(*config.clean_snr_db))
        return snr

    def _draw_other(
        self, target: int, a: P, snr: float | None, rng: np.random.Generator
    ) -> tuple[int, P, float | None]:
        """Draw the other clip; also return the ratio to set, which may be clamped."""
        low, high = self.config.snr_db
        for _ in range(MAX_TRIES if snr is None else 1):
            other = self._pairs.draw([target], rng)
            b = self._place(other, rng)
            if snr is not None or low <= self._ratio(a, b) <= high:
                return other, b, snr
        return other, b, float(np.clip(self._active_ratio(a, b), low, high))

    def _draw_layers(
        self, given: list[int], rng: np.random.Generator
    ) -> list[tuple[int, P, float]]:
        """Draw the third and further clips: index, place and gain [dB]."""
        low, high = self.config.sources
        count = int(rng.integers(low, high + 1)) if high > low else low
        layers: list[tuple[int, P, float]] = []
        for _ in range(count - 2):
            index = self._pairs.draw([*given, *(layer[0] for layer in layers)], rng)
            layers.append((index, self._place(index, rng), float(rng.uniform(*LAYER_DB))))
        return layers

    def _draw_absent(self, given: list[int], rng: np.random.Generator) -> str:
        share = self.config.absent_probability
        if not share or rng.random() >= share:
            return ""
        return self._caption(self._pairs.draw(given, rng), rng)

    def _caption(self, index: int, rng: np.random.Generator) -> str:
        captions = self.source.clips[index].captions
        return captions[int(rng.integers(len(captions))) if self._train else 0]


def _check(config: DataConfig) -> None:
    """Raise ValueError for choices that no mixture can be made with."""
    if config.mix_mode not in ("scale", "raw_reject"):
        raise ValueError(f"mix_mode is 'scale' or 'raw_reject', not {config.mix_mode!r}")
    low, high = config.sources
    if not 2 <= low <= high:
        raise ValueError(f"sources is a range from 2 up, such as (2, 4), not {config.sources}")
    if config.mix_mode == "raw_reject" and (high > 2 or config.clean_probability):
        raise ValueError(
            "mix_mode 'raw_reject' sums two clips as they are: it takes sources=(2, 2)"
        )
    if len(config.level_db) not in (0, 2):
        raise ValueError(f"level_db is a range or (), not {config.level_db}")
