"""Mix clips by their recipes.

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
from hsmtss_jax.data import channel, placement
from hsmtss_jax.data.active_level import active_rms, active_snr_db
from hsmtss_jax.data.draws import Draws
from hsmtss_jax.data.placement import Placement
from hsmtss_jax.data.recipe import EXTRACT, Recipe
from hsmtss_jax.data.sources import Clip


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


@dataclasses.dataclass(frozen=True)
class _Placed:
    """Hold a clip in its window [L]."""

    placement: Placement
    wave: np.ndarray
    used: int


class Mixer(Draws[_Placed]):
    """Draw and rebuild mixtures from a source. Picklable."""

    def draw(self, target: int, rng: np.random.Generator) -> MixtureExample:
        """Draw a mixture with clip ``target`` as A, as ``draw_recipe`` says."""
        drawn = self.draw_recipe(target, rng)
        labels = [self.source.clips[i].label for i in drawn.numbers[:2]]
        return self._mix(drawn.recipe, drawn.placed, labels)

    def clip(self, name: str) -> Clip:
        """Return the clip of an id. Raises ValueError for an unknown one."""
        if name not in self._index:
            raise ValueError(f"the data set has no clip {name!r}: wrong root or split?")
        return self.source.clips[self._index[name]]

    @functools.cached_property
    def _index(self) -> dict[str, int]:
        return {clip.id: i for i, clip in enumerate(self.source.clips)}

    def rebuild(self, recipe: Recipe) -> MixtureExample:
        """Rebuild the mixture of a recipe, sample for sample. Raises ValueError for an unknown clip id."""
        chosen = [(recipe.target, recipe.target_placement), (recipe.other, recipe.other_placement)]
        chosen += [(layer.clip, layer.placement) for layer in recipe.layers]
        labels = [self.clip(name).label for name, _ in chosen]
        placed = []
        for name, place in chosen:
            audio = self.source.audio(self._index[name])
            placed.append(_Placed(place, *placement.render(audio, place, self.samples)))
        return self._mix(recipe, placed, labels)

    def _place(self, index: int, rng: np.random.Generator) -> _Placed:
        audio = self.source.audio(index)
        short = self.config.short_clips
        return _Placed(
            *placement.draw(audio, self.samples, rng, short=short, augmented=self._augmented)
        )

    def _ratio(self, a: _Placed, b: _Placed) -> float:
        return level.snr(a.wave, b.wave)

    def _active_ratio(self, a: _Placed, b: _Placed) -> float:
        return active_snr_db(a.wave, b.wave)

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
