"""Mix clips: the choices (a Recipe, enough to rebuild the mixture) and the result.

A is the target, B the other clip; mixture = A + B [L], HSM-TSS eq. (1). The instruction is (extract,
caption of A) or (remove, caption of B), so the target is A either way (HSM-TSS section IV-A). Of three or
more clips, the others join what the text does not describe: (extract, A) leaves B + C, (remove, B)
leaves A + C. Where the text describes a sound that is not there, (extract) leaves silence and (remove)
the whole mixture.
"""

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np

from hsmtss_jax.audio import level
from hsmtss_jax.config import DataConfig
from hsmtss_jax.data import channel, placement
from hsmtss_jax.data.active_level import active_rms, active_snr_db
from hsmtss_jax.data.channel import Channel
from hsmtss_jax.data.placement import Placement
from hsmtss_jax.data.sources import Clip, ClipSource, Part, by_label, overlaps
from hsmtss_jax.task import Task

EXTRACT, REMOVE = Task.EXTRACT.number, Task.REMOVE.number
MAX_TRIES = 64
LAYER_DB = (-10.0, 10.0)  # active level of a third clip over that of the one it joins


@dataclasses.dataclass(frozen=True)
class Layer:
    """Store the choices for a third or further clip. ``gain``: its active level over what it joins [dB]."""

    clip: str
    placement: Placement
    gain: float


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Store the choices of a mixture. ``snr`` over active parts [dB]; None: gains unchanged.

    ``caption_absent``: describes a sound that is not there, "" where the text describes one that is.
    """

    target: str  # clip id
    other: str
    target_placement: Placement
    other_placement: Placement
    snr: float | None
    task: int
    caption_target: str
    caption_other: str
    layers: tuple[Layer, ...] = ()
    caption_absent: str = ""
    channel: Channel = channel.UNCHANGED

    @property
    def text(self) -> str:
        """Return the description in the instruction."""
        if self.caption_absent:
            return self.caption_absent
        return self.caption_target if self.task == EXTRACT else self.caption_other


@dataclasses.dataclass(frozen=True)
class MixtureExample:
    """Hold a rendered mixture: waves float32 [L]; ``snr`` is the measured ratio of the active parts [dB].

    ``target`` is what the instruction asks for, ``other`` the rest of the mixture.
    """

    mixture: np.ndarray
    target: np.ndarray
    other: np.ndarray
    length: int
    snr: float
    recipe: Recipe
    label_target: str
    label_other: str

    @property
    def present(self) -> bool:
        """Return whether the sound that the text describes is in the mixture."""
        return not self.recipe.caption_absent


class PairSampler:
    """Draw further clips of a mixture: labels by their size ** (1 - balance), then a clip of the label.

    Of several data sets each has its share of the draws, and its own labels.
    """

    def __init__(self, clips: Sequence[Clip], balance: float, parts: Sequence[Part]) -> None:
        self._clips = clips
        self._groups: list[np.ndarray] = []
        shares = []
        for part in parts:
            own = by_label(clips[i] for i in range(part.start, part.stop)).values()
            weights = np.array([len(group) for group in own], np.float64) ** (1 - balance)
            shares.append(part.weight * weights / weights.sum())
            self._groups += [part.start + np.array(group) for group in own]
        share = np.concatenate(shares)
        self._cumulative = np.cumsum(share / share.sum())

    def draw(self, given: Sequence[int], rng: np.random.Generator) -> int:
        """Draw the index of a clip that shares no tags with the clips ``given``.

        Raises:
          ValueError: the tags of all clips meet theirs.
        """
        for _ in range(MAX_TRIES):
            label = int(np.searchsorted(self._cumulative, rng.random(), side="right"))
            group = self._groups[min(label, len(self._groups) - 1)]
            other = int(group[int(rng.integers(len(group)))])
            if self._fits(other, given):
                return other
        rest = [i for i in range(len(self._clips)) if self._fits(i, given)]
        if not rest:
            names = ", ".join(repr(self._clips[i].id) for i in given)
            raise ValueError(f"no clip to mix with {names}: its tags meet those of all others")
        return rest[int(rng.integers(len(rest)))]

    def _fits(self, index: int, given: Sequence[int]) -> bool:
        return not any(overlaps(self._clips[i], self._clips[index]) for i in given)


@dataclasses.dataclass(frozen=True)
class _Placed:
    """Hold a clip in its window [L]."""

    placement: Placement
    wave: np.ndarray
    used: int


class Mixer:
    """Draw and rebuild mixtures from a source. Picklable.

    Args:
      source: the clips.
      config: how they are mixed.
      samples: length of a mixture.
      augmented: clips are augmented.
      train: captions are drawn among the paraphrases; else the data set's own caption is used.
    """

    def __init__(
        self, source: ClipSource, config: DataConfig, samples: int, *, augmented: bool, train: bool
    ) -> None:
        _check(config)
        self.source, self.config, self.samples = source, config, samples
        self._augmented, self._train = augmented, train
        self._pairs = PairSampler(source.clips, config.balance, source.parts)

    @functools.cached_property
    def _index(self) -> dict[str, int]:
        return {clip.id: i for i, clip in enumerate(self.source.clips)}

    def draw(self, target: int, rng: np.random.Generator) -> MixtureExample:
        """Draw a mixture with clip ``target`` as A.

        mix_mode "raw_reject" draws the other clip again while the ratio is out of config.snr_db (the
        last of MAX_TRIES is then clamped into the range); "scale" sets a uniformly drawn ratio.
        """
        clips = self.source.clips
        task = REMOVE if rng.random() < self.config.remove_probability else EXTRACT
        snr = self._draw_snr(rng)
        a = self._place(target, rng)
        other, b, snr = self._draw_other(target, a, snr, rng)
        recipe = Recipe(
            target=clips[target].id,
            other=clips[other].id,
            target_placement=a.placement,
            other_placement=b.placement,
            snr=snr,
            task=task,
            caption_target=self._caption(target, rng),
            caption_other=self._caption(other, rng),
        )
        layers = self._draw_layers([target, other], rng)
        given = [target, other, *(index for index, _, _ in layers)]
        recipe = dataclasses.replace(
            recipe,
            layers=tuple(Layer(clips[i].id, c.placement, gain) for i, c, gain in layers),
            caption_absent=self._draw_absent(given, rng),
            channel=channel.draw(self.config, rng) if self._augmented else channel.UNCHANGED,
        )
        labels = [clips[target].label, clips[other].label]
        return self._mix(recipe, [a, b, *(placed for _, placed, _ in layers)], labels)

    def _draw_snr(self, rng: np.random.Generator) -> float | None:
        config = self.config
        if config.mix_mode != "scale":
            return None
        snr = float(rng.uniform(*config.snr_db))
        if config.clean_probability and rng.random() < config.clean_probability:
            snr = float(rng.uniform(*config.clean_snr_db))
        return snr

    def _draw_other(
        self, target: int, a: _Placed, snr: float | None, rng: np.random.Generator
    ) -> tuple[int, _Placed, float | None]:
        """Draw the other clip; also return the ratio to set, which may be clamped."""
        low, high = self.config.snr_db
        for _ in range(MAX_TRIES if snr is None else 1):
            other = self._pairs.draw([target], rng)
            b = self._place(other, rng)
            if snr is not None or low <= level.snr(a.wave, b.wave) <= high:
                return other, b, snr
        return other, b, float(np.clip(active_snr_db(a.wave, b.wave), low, high))

    def _draw_layers(
        self, given: list[int], rng: np.random.Generator
    ) -> list[tuple[int, _Placed, float]]:
        """Draw the third and further clips: index, place and gain [dB]."""
        low, high = self.config.sources
        count = int(rng.integers(low, high + 1)) if high > low else low
        layers: list[tuple[int, _Placed, float]] = []
        for _ in range(count - 2):
            index = self._pairs.draw([*given, *(layer[0] for layer in layers)], rng)
            layers.append((index, self._place(index, rng), float(rng.uniform(*LAYER_DB))))
        return layers

    def _draw_absent(self, given: list[int], rng: np.random.Generator) -> str:
        share = self.config.absent_probability
        if not share or rng.random() >= share:
            return ""
        return self._caption(self._pairs.draw(given, rng), rng)

    def rebuild(self, recipe: Recipe) -> MixtureExample:
        """Rebuild the mixture of a recipe, sample for sample. Raises ValueError for an unknown clip id."""
        chosen = [(recipe.target, recipe.target_placement), (recipe.other, recipe.other_placement)]
        chosen += [(layer.clip, layer.placement) for layer in recipe.layers]
        placed = []
        for name, place in chosen:
            if name not in self._index:
                raise ValueError(f"the data set has no clip {name!r}: wrong root or split?")
            audio = self.source.audio(self._index[name])
            placed.append(_Placed(place, *placement.render(audio, place, self.samples)))
        labels = [self.source.clips[self._index[name]].label for name, _ in chosen]
        return self._mix(recipe, placed, labels)

    def _place(self, index: int, rng: np.random.Generator) -> _Placed:
        audio = self.source.audio(index)
        short = self.config.short_clips
        return _Placed(
            *placement.draw(audio, self.samples, rng, short=short, augmented=self._augmented)
        )

    def _caption(self, index: int, rng: np.random.Generator) -> str:
        captions = self.source.clips[index].captions
        return captions[int(rng.integers(len(captions))) if self._train else 0]

    def _mix(
        self, recipe: Recipe, placed: Sequence[_Placed], labels: Sequence[str]
    ) -> MixtureExample:
        mixed = _sum(recipe, [clip.wave for clip in placed])
        mixture, target, other = mixed.mixture, mixed.target, mixed.other
        if recipe.channel != channel.UNCHANGED:
            mixture, target, other = channel.apply(recipe.channel, target, other)
        if recipe.caption_absent:
            parts = np.zeros_like(mixture), mixture
            target, other = parts if recipe.task == EXTRACT else parts[::-1]
        return MixtureExample(
            mixture=mixture.astype(np.float32),
            target=target.astype(np.float32),
            other=other.astype(np.float32),
            length=self.samples if recipe.channel.rings else max(clip.used for clip in placed),
            snr=active_snr_db(target, other),
            recipe=recipe,
            label_target=labels[0],
            label_other=labels[1],
        )


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


def _sum(recipe: Recipe, waves: Sequence[np.ndarray]) -> level.Mixture:
    """Sum the clips [L] of a recipe, without its channel: target and other, in order, then the layers."""
    a, b = waves[:2]
    for layer, wave in zip(recipe.layers, waves[2:], strict=True):
        if recipe.task == EXTRACT:
            b = _join(b, wave, layer.gain)
        else:
            a = _join(a, wave, layer.gain)
    if recipe.snr is None:
        return level.mix_at_snr(a, b, None, mode="raw")
    # mix_at_snr measures whole windows: ask for the ratio that gives ours
    ratio = recipe.snr + level.snr(a, b) - active_snr_db(a, b)
    return level.mix_at_snr(a, b, ratio, mode="scale")


def _join(base: np.ndarray, wave: np.ndarray, gain_db: float) -> np.ndarray:
    """Add ``wave`` at an active level relative to that of ``base``; as it is where one is silent."""
    levels = active_rms(base), active_rms(wave)
    gain = 10.0 ** (gain_db / 20.0) * levels[0] / levels[1] if min(levels) > 0 else 1.0
    return (base + np.float32(gain) * wave).astype(np.float32)
