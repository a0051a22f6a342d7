"""Mix two clips: the choices (a Recipe, enough to rebuild the mixture) and the result.

A is the target, B the other clip; mixture = A + B [L], HSM-TSS eq. (1). The instruction is (extract,
caption of A) or (remove, caption of B), so the target is A either way (HSM-TSS section IV-A).
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from hsmtss_jax.audio import level
from hsmtss_jax.config import DataConfig
from hsmtss_jax.data import placement
from hsmtss_jax.data.placement import Placement
from hsmtss_jax.data.sources import Clip, ClipSource, by_label, overlaps
from hsmtss_jax.task import Task

EXTRACT, REMOVE = Task.EXTRACT.number, Task.REMOVE.number
MAX_TRIES = 64
FRAME = 160  # samples; the active part is measured in 10 ms frames
ACTIVE_DB = -40.0  # a frame within this of the loudest one is active


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Store the choices of a mixture. ``snr`` over active parts [dB]; None: gains unchanged."""

    target: str  # clip id
    other: str
    target_placement: Placement
    other_placement: Placement
    snr: float | None
    task: int
    caption_target: str
    caption_other: str

    @property
    def text(self) -> str:
        """Return the description in the instruction."""
        return self.caption_target if self.task == EXTRACT else self.caption_other


@dataclasses.dataclass(frozen=True)
class MixtureExample:
    """Hold a rendered mixture: waves float32 [L]; ``snr`` is the measured ratio of the active parts [dB]."""

    mixture: np.ndarray
    target: np.ndarray
    other: np.ndarray
    length: int
    snr: float
    recipe: Recipe
    label_target: str
    label_other: str


def active_rms(x: np.ndarray) -> float:
    """Compute the RMS over the frames within ACTIVE_DB of the loudest; 0 for silence."""
    frames = x[: len(x) // FRAME * FRAME].reshape(-1, FRAME)
    power = np.mean(np.square(frames, dtype=np.float64), axis=1)
    top = power.max(initial=0.0)
    if top <= 0.0:
        return level.rms(x)
    return float(np.sqrt(np.mean(power[power >= top * 10.0 ** (ACTIVE_DB / 10.0)])))


def active_snr_db(target: np.ndarray, other: np.ndarray) -> float:
    """Compute the ratio of the active levels [dB]; within +-120 when one is silent."""
    a, b = max(active_rms(target), 1e-6), max(active_rms(other), 1e-6)
    return float(np.clip(20.0 * np.log10(a / b), -120.0, 120.0))


class PairSampler:
    """Draw the other clip of a pair: labels by their size ** (1 - balance), then a clip of the label.

    Raises ValueError when a clip's tags meet those of all others.
    """

    def __init__(self, clips: Sequence[Clip], balance: float) -> None:
        self._clips = clips
        self._groups = list(by_label(clips).values())
        weights = np.array([len(group) for group in self._groups], np.float64) ** (1 - balance)
        self._cumulative = np.cumsum(weights / weights.sum())

    def draw(self, target: int, rng: np.random.Generator) -> int:
        """Draw the index of a clip that shares no tags with clip ``target``."""
        a = self._clips[target]
        for _ in range(MAX_TRIES):
            label = int(np.searchsorted(self._cumulative, rng.random(), side="right"))
            group = self._groups[min(label, len(self._groups) - 1)]
            other = group[int(rng.integers(len(group)))]
            if not overlaps(a, self._clips[other]):
                return other
        rest = [i for i, clip in enumerate(self._clips) if not overlaps(a, clip)]
        if not rest:
            raise ValueError(f"no clip to mix with {a.id!r}: its tags meet those of all others")
        return rest[int(rng.integers(len(rest)))]


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
        if config.mix_mode not in ("scale", "raw_reject"):
            raise ValueError(f"mix_mode is 'scale' or 'raw_reject', not {config.mix_mode!r}")
        self.source, self.config, self.samples = source, config, samples
        self._augmented, self._train = augmented, train
        self._pairs = PairSampler(source.clips, config.balance)
        self._index = {clip.id: i for i, clip in enumerate(source.clips)}

    def draw(self, target: int, rng: np.random.Generator) -> MixtureExample:
        """Draw a mixture with clip ``target`` as A.

        mix_mode "raw_reject" draws the other clip again while the ratio is out of config.snr_db (the
        last of MAX_TRIES is then clamped into the range); "scale" sets a uniformly drawn ratio.
        """
        clips = self.source.clips
        task = REMOVE if rng.random() < self.config.remove_probability else EXTRACT
        low, high = self.config.snr_db
        snr = float(rng.uniform(low, high)) if self.config.mix_mode == "scale" else None
        a, wave_a, used_a = self._place(target, rng)
        for _ in range(MAX_TRIES if snr is None else 1):
            other = self._pairs.draw(target, rng)
            b, wave_b, used_b = self._place(other, rng)
            if snr is not None or low <= level.snr(wave_a, wave_b) <= high:
                break
        else:
            snr = float(np.clip(active_snr_db(wave_a, wave_b), low, high))
        recipe = Recipe(
            target=clips[target].id,
            other=clips[other].id,
            target_placement=a,
            other_placement=b,
            snr=snr,
            task=task,
            caption_target=self._caption(clips[target], rng),
            caption_other=self._caption(clips[other], rng),
        )
        return self._mix(recipe, wave_a, wave_b, max(used_a, used_b))

    def rebuild(self, recipe: Recipe) -> MixtureExample:
        """Rebuild the mixture of a recipe, sample for sample. Raises ValueError for an unknown clip id."""
        for name in (recipe.target, recipe.other):
            if name not in self._index:
                raise ValueError(f"the data set has no clip {name!r}: wrong root or split?")
        a, b = (self.source.audio(self._index[name]) for name in (recipe.target, recipe.other))
        wave_a, used_a = placement.render(a, recipe.target_placement, self.samples)
        wave_b, used_b = placement.render(b, recipe.other_placement, self.samples)
        return self._mix(recipe, wave_a, wave_b, max(used_a, used_b))

    def _place(self, index: int, rng: np.random.Generator) -> tuple[Placement, np.ndarray, int]:
        audio = self.source.audio(index)
        short = self.config.short_clips
        return placement.draw(audio, self.samples, rng, short=short, augmented=self._augmented)

    def _caption(self, clip: Clip, rng: np.random.Generator) -> str:
        return clip.captions[int(rng.integers(len(clip.captions))) if self._train else 0]

    def _mix(self, recipe: Recipe, a: np.ndarray, b: np.ndarray, length: int) -> MixtureExample:
        snr = recipe.snr
        if snr is None:
            mixed = level.mix_at_snr(a, b, None, mode="raw")
        else:  # mix_at_snr measures whole windows: ask for the ratio that gives ours
            mixed = level.mix_at_snr(
                a, b, snr + level.snr(a, b) - active_snr_db(a, b), mode="scale"
            )
        clips, index = self.source.clips, self._index
        return MixtureExample(
            mixture=mixed.mixture.astype(np.float32),
            target=mixed.target.astype(np.float32),
            other=mixed.other.astype(np.float32),
            length=length,
            snr=active_snr_db(mixed.target, mixed.other),
            recipe=recipe,
            label_target=clips[index[recipe.target]].label,
            label_other=clips[index[recipe.other]].label,
        )
