"""Place clips of any length in a window: cut an excerpt, augment it, put it at one or more offsets.

A Placement holds every choice, so the same window can be rendered again from it alone.
n samples of a clip, L samples of a window; mono float32.
"""

import dataclasses
from typing import Literal

import numpy as np

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.data.augment import MAX_SPEED, augment

ShortClips = Literal["pad", "place", "repeat"]  # see DataConfig.short_clips
P_REPEAT = 0.5  # of short clips that are repeated rather than placed once
MAX_GAP = 0.8  # seconds between repetitions
AUDIBLE = 0.05  # an excerpt's peak relative to its clip's


@dataclasses.dataclass(frozen=True)
class Placement:
    """Store the choices for one clip.

    start, size: the excerpt in the clip. offsets: where it is put in the window, in order.
    augment_seed: seed of the augmentation of the excerpt, -1 for none.
    """

    start: int
    size: int
    offsets: tuple[int, ...] = (0,)
    augment_seed: int = -1


def excerpt(audio: np.ndarray, placement: Placement) -> np.ndarray:
    """Cut the excerpt of ``audio`` [n], augmented when the placement says so; float32 [m]."""
    x = audio[placement.start : placement.start + placement.size]
    if placement.augment_seed < 0:
        return x
    return augment(x, np.random.default_rng(placement.augment_seed))


def lay(x: np.ndarray, offsets: tuple[int, ...], samples: int) -> tuple[np.ndarray, int]:
    """Add ``x`` [m] at the offsets to a window float32 [L].

    Also returns the number of samples in use; the rest is zero.
    """
    window = np.zeros(samples, np.float32)
    end = 0
    for offset in offsets:
        part = x[: samples - offset]
        window[offset : offset + len(part)] += part
        end = max(end, offset + len(part))
    return window, end


def render(audio: np.ndarray, placement: Placement, samples: int) -> tuple[np.ndarray, int]:
    """Render a placement: window float32 [L], and its number of samples in use."""
    return lay(excerpt(audio, placement), placement.offsets, samples)


def draw(
    audio: np.ndarray, samples: int, rng: np.random.Generator, *, short: ShortClips, augmented: bool
) -> tuple[Placement, np.ndarray, int]:
    """Draw a placement of a clip [n] and render it: placement, window [L], samples in use.

    Long clips are cut at a random, audible place.

    Args:
      audio: the clip, mono float32.
      samples: L.
      rng: of this example.
      short: what becomes of a clip shorter than the window: pad starts it at 0, place puts it at a random
        place, repeat does that or repeats it.
      augmented: the excerpt goes through ``augment``.
    """
    seed = int(rng.integers(2**31)) if augmented else -1
    size = min(len(audio), int(samples * MAX_SPEED) + 1 if augmented else samples)
    heard = int(samples / MAX_SPEED) if augmented else samples  # of the excerpt, at the least
    start = _draw_start(audio, size, heard, rng)
    base = Placement(start, min(size, len(audio) - start), (0,), seed)
    x = excerpt(audio, base)
    offsets: tuple[int, ...] = (0,)
    if short != "pad" and 0 < len(x) < samples:
        offsets = draw_offsets(len(x), samples, rng, repeat=short == "repeat")
    window, used = lay(x, offsets, samples)
    return dataclasses.replace(base, offsets=offsets), window, used


def _draw_start(audio: np.ndarray, size: int, heard: int, rng: np.random.Generator) -> int:
    """Draw a start where the first ``heard`` samples are audible; after eight tries, one near the peak."""
    if not len(audio):
        return 0
    floor = AUDIBLE * float(np.max(np.abs(audio)))
    for _ in range(8 if len(audio) > size else 1):
        start = int(rng.integers(len(audio) - size + 1)) if len(audio) > size else 0
        if float(np.max(np.abs(audio[start : start + heard]))) >= floor:
            return start
    loudest = int(np.argmax(np.abs(audio)))
    return loudest - int(rng.integers(min(heard, loudest + 1)))


def draw_offsets(
    length: int, samples: int, rng: np.random.Generator, *, repeat: bool
) -> tuple[int, ...]:
    """Draw where a clip of ``length`` samples begins in a window, several times with ``repeat``."""
    if not repeat or rng.random() >= P_REPEAT or 2 * length > samples:
        return (int(rng.integers(samples - length + 1)),)
    gap = rng.uniform(0.0, MAX_GAP) * SAMPLE_RATE
    offsets = [int(rng.uniform(0.0, min(gap, samples - length)))]
    while True:
        step = length + max(800, int(gap * rng.uniform(0.7, 1.3)))
        if offsets[-1] + step + length > samples:
            return tuple(offsets)
        offsets.append(offsets[-1] + step)
