"""Draw recipes from levels alone, some thousands a second: no clip is read.

Excerpts of long clips begin at frames of 10 ms, so their levels are known as if they were heard. What
augmentation does to a level is not known.
"""

import dataclasses
import functools
import math

import numpy as np

from hsmtss_jax.config import DataConfig
from hsmtss_jax.data import placement
from hsmtss_jax.data.active_level import FRAME
from hsmtss_jax.data.augment import MAX_SPEED
from hsmtss_jax.data.draws import Drawn, Draws
from hsmtss_jax.data.levels import LevelTable, active_db
from hsmtss_jax.data.placement import AUDIBLE, Placement
from hsmtss_jax.data.sources import ClipSource

SILENCE = 1e-12  # energy


@dataclasses.dataclass(frozen=True)
class Heard:
    """Hold a clip's place, and the frame energies of its excerpt."""

    placement: Placement
    energies: np.ndarray

    @functools.cached_property
    def active(self) -> float:
        """Return the level of its active part [dB]."""
        return active_db(self.energies)

    @functools.cached_property
    def energy(self) -> float:
        """Return the sum of squares over the window."""
        times = len(self.placement.offsets)
        return float(np.add.reduce(self.energies, dtype=np.float64)) * times


@dataclasses.dataclass(frozen=True)
class Levels:
    """Store what a plan knows of a mixture of two clips as they are [dB].

    ``target`` and ``other``: active levels before the gain. ``gain``: of the other relative to the target.
    ``snr``: of the active parts, ``window_snr``: over the whole window, both with the gain.
    """

    target: float
    other: float
    gain: float
    snr: float
    window_snr: float


class Planner(Draws[Heard]):
    """Draw recipes from a table of levels. Picklable.

    Args:
      source: the clips.
      config: how they are mixed.
      samples: length of a mixture.
      levels: of the clips.
      train: clips are augmented where the config says so, captions drawn.

    Raises:
      ValueError: choices that no mixture can be made with, or whose levels are not known.
    """

    def __init__(
        self,
        source: ClipSource,
        config: DataConfig,
        samples: int,
        levels: LevelTable,
        *,
        train: bool,
    ) -> None:
        super().__init__(source, config, samples, augmented=train and config.augment, train=train)
        if self._augmented and config.mix_mode == "raw_reject":
            raise ValueError(
                "mix_mode 'raw_reject' takes clips as they are: it needs data.augment=false"
            )
        self._levels = levels

    def levels(self, drawn: Drawn[Heard]) -> Levels | None:
        """Return the levels of a drawn mixture; None where more than two clips or gains decide them."""
        if self._augmented or not drawn.recipe.plain:
            return None
        a, b = drawn.placed
        gain = 0.0 if drawn.recipe.snr is None else a.active - b.active - drawn.recipe.snr
        return Levels(
            target=a.active,
            other=b.active,
            gain=gain,
            snr=a.active - b.active - gain,
            window_snr=self._ratio(a, b) - gain,
        )

    def _place(self, index: int, rng: np.random.Generator) -> Heard:
        length, energies = int(self._levels.lengths[index]), self._levels.energies(index)
        seed = int(rng.integers(2**31)) if self._augmented else -1
        reach = self.samples * MAX_SPEED if self._augmented else self.samples
        size = min(length, int(reach) + 1 if self._augmented else self.samples)
        heard = int(self.samples / MAX_SPEED) if self._augmented else self.samples
        start = _draw_start(energies, length - size, heard, rng)
        size = min(size, length - start)
        longest = math.ceil(size * MAX_SPEED) if self._augmented else size
        offsets: tuple[int, ...] = (0,)
        if self.config.short_clips != "pad" and 0 < longest < self.samples:
            repeat = self.config.short_clips == "repeat"
            offsets = placement.draw_offsets(longest, self.samples, rng, repeat=repeat)
        first = start // FRAME
        part = energies[first : first + -(-size // FRAME)]
        return Heard(Placement(start, size, offsets, seed), part)

    def _ratio(self, a: Heard, b: Heard) -> float:
        return 10.0 * math.log10(max(a.energy, SILENCE) / max(b.energy, SILENCE))

    def _active_ratio(self, a: Heard, b: Heard) -> float:
        return a.active - b.active


def _draw_start(energies: np.ndarray, room: int, heard: int, rng: np.random.Generator) -> int:
    """Draw a frame's first sample where the next ``heard`` are audible; after eight tries, near the loudest.

    Args:
      energies: of the clip's frames.
      room: samples that the excerpt leaves out.
      heard: samples of the excerpt that are heard at the least.
      rng: of this example.
    """
    frames, span = room // FRAME, max(1, heard // FRAME)
    if not frames:
        return 0  # all of it is heard
    floor = AUDIBLE**2 * float(energies.max())
    for _ in range(8):
        start = int(rng.integers(frames + 1))
        if float(energies[start : start + span].max(initial=0.0)) >= floor:
            return start * FRAME
    loudest = int(np.argmax(energies))
    return max(0, min(loudest - int(rng.integers(min(span, loudest + 1))), frames)) * FRAME
