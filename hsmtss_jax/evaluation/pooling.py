"""One vector a clip from fixed windows: which windows of a clip are encoded, and their weighted mean.

Legend: L samples of a window, B windows at once, n clips, C width.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import numpy as np

from hsmtss_jax.audio.windows import cut, plan_windows
from hsmtss_jax.progress import Progress
from hsmtss_jax.sampling import apply_in_batches, batches


@dataclasses.dataclass(frozen=True)
class ClipWindow:
    """Hold audio float32 [L], zeros at the end; samples: how many are the clip's; row: which clip."""

    row: int
    audio: np.ndarray
    samples: int


class Embed(Protocol):
    """Map audio [B, L], samples [B] to (sums [B, C], weights [B]): a window's share of its clip's mean."""

    def __call__(self, audio: np.ndarray, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]: ...


Audio = Callable[[int], np.ndarray]  # clip number -> mono float32 at 16 kHz


def fixed_crops(audio: Audio, rows: int, window: int, crops: int) -> Iterator[ClipWindow]:
    """Yield ``crops`` windows of a longer clip, evenly from its start to its end (one: its middle), or a
    shorter clip itself, padded with zeros. Nothing is drawn at random."""
    for row in range(rows):
        clip = audio(row)
        spare = len(clip) - window
        if spare <= 0:
            yield ClipWindow(row, np.pad(clip, (0, -spare)), len(clip))
            continue
        places = [0.5] if crops == 1 else np.linspace(0.0, 1.0, crops)
        for start in (round(float(place) * spare) for place in places):
            yield ClipWindow(row, clip[start : start + window], window)


def whole_clips(audio: Audio, rows: int, window: int) -> Iterator[ClipWindow]:
    """Yield all of every clip in windows that do not overlap, without a last one under a frame (25 ms)."""
    for row in range(rows):
        clip = audio(row)
        plan = plan_windows(len(clip), window, 0)
        for start, piece in zip(plan.starts, cut(clip, plan), strict=True):
            samples = min(window, len(clip) - start)
            if start == 0 or samples >= 400:
                yield ClipWindow(row, piece, samples)


def pool(
    windows: Iterable[ClipWindow],
    embed: Embed,
    rows: int,
    batch: int,
    progress: Progress | None = None,
) -> np.ndarray:
    """Compute the weighted mean of each clip's windows, float32 [n, C], in batches of few shapes.

    Args:
      windows: in the order of the clips.
      embed: from windows to their shares of the mean.
      rows: n.
      batch: the largest B.
      progress: takes clips done and n.
    """
    total: np.ndarray | None = None
    weight = np.zeros(rows)
    for part in batches(windows, batch):
        audio = np.stack([window.audio for window in part]).astype(np.float32)
        samples = np.array([window.samples for window in part], np.int32)
        sums, weights = apply_in_batches(embed, audio, samples, limit=batch)
        total = np.zeros((rows, sums.shape[1])) if total is None else total
        index = [window.row for window in part]
        np.add.at(total, index, sums)
        np.add.at(weight, index, weights)
        if progress:
            progress(part[-1].row + 1, rows)
    if total is None:
        raise ValueError("there is no clip to embed")
    return (total / weight[:, None]).astype(np.float32)
