"""Find clips that hold the same recording: pairs of spectral peaks, confirmed by waveform correlation.

Peaks of the spectrogram survive codecs, equalisers, noise and gains, and two of them with their distance
in time make a landmark that few recordings share (Wang, An Industrial-Strength Audio Search Algorithm,
2003). Recordings may be cut differently; other pitch or speed is another recording. n samples, 16 kHz.
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from scipy import fft, ndimage

FRAME, HOP = 1024, 256  # samples
BINS = slice(4, 480)  # 60 to 7500 Hz
NEIGHBOURS = (7, 25)  # frames, bins: a peak is the largest of these
RANGE_DB = 50.0  # peaks below the clip's loudest bin
FAN, REACH, SPAN = 15, 63, 63  # later peaks tried, frames and bins between the two of a landmark
CROWDED = 40  # a landmark of more clips says nothing
CORRELATED = 25_600  # samples: the loudest 1.6 s in common are correlated
PARTS = 8  # of the work, one after another: memory
MOST_FRAMES = 0x8000  # between two clips, about nine minutes
SLACK = 400  # samples either way for the lag
LEAST_VOTES = 4  # landmarks at one offset
LEAST_SCORE = 2.5  # votes x correlation
LEAST_CORRELATION = 0.25


@dataclasses.dataclass(frozen=True)
class Match:
    """Store a pair of clips with the same recording in them.

    ``offset``: where the first clip begins in the second [samples]. ``votes``: landmarks in common there.
    ``correlation``: of the differenced waveforms over the loudest common stretch, 0 to 1.
    """

    first: int
    second: int
    offset: int
    votes: int
    correlation: float


@dataclasses.dataclass(frozen=True)
class Landmarks:
    """Hold a clip's landmarks: hashes int32 [m] and the frame of each int32 [m]."""

    hashes: np.ndarray
    frames: np.ndarray


def landmarks(audio: np.ndarray) -> Landmarks:
    """Compute the landmarks of a clip [n]; none for silence."""
    frames, bins = _peaks(np.asarray(audio, np.float32))
    hashes, at = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)]
    for k in range(1, min(FAN, len(frames))):
        wait, step = frames[k:] - frames[:-k], bins[k:] - bins[:-k]
        near = (wait <= REACH) & (np.abs(step) <= SPAN)
        code = bins[:-k] << 13 | (step + SPAN) << 6 | wait
        hashes.append(code[near].astype(np.int32))
        at.append(frames[:-k][near].astype(np.int32))
    return Landmarks(np.concatenate(hashes), np.concatenate(at))


def _peaks(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return frame and bin of the spectrogram's peaks, in order of time."""
    x = np.pad(x, (FRAME // 2, FRAME))
    frames = np.lib.stride_tricks.sliding_window_view(x, FRAME)[::HOP]
    window = np.hanning(FRAME).astype(np.float32)
    magnitude = np.abs(fft.rfft(frames * window, axis=1))[:, BINS]
    top = float(magnitude.max())
    if top <= 0.0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    highest = ndimage.maximum_filter(magnitude, size=NEIGHBOURS) == magnitude
    at, height = np.nonzero(highest & (magnitude > top * 10.0 ** (-RANGE_DB / 20.0)))
    return at, height


def correlation(first: np.ndarray, second: np.ndarray, offset: int) -> float:
    """Compute the largest correlation of two clips near an offset, over their loudest common stretch.

    Signals are differenced, so that a low rumble does not decide. 0 when less than 50 ms is common.
    ``offset``: where ``first`` begins in ``second``, give or take SLACK samples.
    """
    low = max(0, SLACK - offset)
    high = min(len(first), len(second) - offset - SLACK)
    if high - low < 2 * SLACK:
        return 0.0
    x = np.diff(first[low:high].astype(np.float32))
    start = _loudest(x)
    x = x[start : start + CORRELATED]
    begin = low + start + offset - SLACK
    y = np.diff(second[begin : begin + len(x) + 1 + 2 * SLACK].astype(np.float32))
    size = fft.next_fast_len(len(y), real=True)
    products = fft.irfft(np.conj(fft.rfft(x, size)) * fft.rfft(y, size), size)
    products = products[: len(y) - len(x) + 1]
    energy = np.concatenate([[0.0], np.cumsum(np.square(y, dtype=np.float64))])
    energy = (energy[len(x) :] - energy[: -len(x)]) * np.sum(np.square(x, dtype=np.float64))
    heard = energy > 0
    return float(np.max(np.abs(products[heard]) / np.sqrt(energy[heard]), initial=0.0))


def _loudest(x: np.ndarray, step: int = 1600) -> int:
    """Return the start of the loudest CORRELATED samples, to a tenth of a second."""
    if len(x) <= CORRELATED:
        return 0
    power = np.add.reduceat(np.square(x), np.arange(0, len(x) - CORRELATED + 1, step))
    sums = np.convolve(power, np.ones(CORRELATED // step))[: len(power)]
    return max(0, int(np.argmax(sums)) - CORRELATED // step + 1) * step


def near_duplicates(
    count: int, audio: Callable[[int], np.ndarray], groups: Sequence[str] | None = None
) -> list[Match]:
    """Find the pairs of clips that hold the same recording, by index.

    Args:
      count: number of clips.
      audio: clip number -> samples [n]; asked for once a clip, and again for what seems alike.
      groups: pairs with the same group are not looked for.
    """
    if not count:
        return []
    marks = [landmarks(audio(i)) for i in range(count)]
    names: dict[str, int] = {}
    group = np.array(
        [names.setdefault(name, len(names)) for name in groups or map(str, range(count))]
    )
    found = []
    for first, second, frames, votes in _alike(marks, group):
        value = correlation(audio(first), audio(second), frames * HOP)
        if value >= LEAST_CORRELATION and votes * value >= LEAST_SCORE:
            found.append(Match(first, second, frames * HOP, votes, value))
    return found


def _alike(marks: Sequence[Landmarks], group: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Return (first, second, offset in frames, votes) of pairs with enough landmarks in line."""
    hashes = np.concatenate([mark.hashes for mark in marks])
    order = np.argsort(hashes, kind="stable")
    hashes = hashes[order]
    frames = np.concatenate([mark.frames for mark in marks])[order]
    clip = np.repeat(np.arange(len(marks), dtype=np.int32), [len(m.hashes) for m in marks])[order]
    _, index, sizes = np.unique(hashes, return_inverse=True, return_counts=True)
    telling = sizes[index] <= CROWDED
    sorted_marks = hashes[telling], frames[telling], clip[telling]
    best: dict[tuple[int, int], tuple[int, int]] = {}
    for part in range(PARTS):
        keys, votes = np.unique(_pairs(*sorted_marks, group, part), return_counts=True)
        enough = votes >= LEAST_VOTES
        for key, n in zip(keys[enough].tolist(), votes[enough].tolist(), strict=True):
            pair = key >> 38, (key >> 16) & 0x3FFFFF
            best[pair] = max(best.get(pair, (0, 0)), (n, (key & 0xFFFF) - MOST_FRAMES))
    return [(*pair, offset, n) for pair, (n, offset) in best.items()]


def _pairs(
    hashes: np.ndarray, frames: np.ndarray, clip: np.ndarray, group: np.ndarray, part: int
) -> np.ndarray:
    """Return a key (first 26 bits, second 22, offset 16) of every two equal landmarks of a part."""
    keys = [np.zeros(0, np.int64)]
    for k in range(1, CROWDED):
        equal = np.flatnonzero((hashes[k:] == hashes[:-k]) & (clip[:-k] % PARTS == part))
        offset = frames[equal + k] - frames[equal] + MOST_FRAMES
        fit = (group[clip[equal]] != group[clip[equal + k]]) & (offset >= 0)
        fit &= offset < 2 * MOST_FRAMES
        equal, offset = equal[fit], offset[fit]
        first, second = clip[equal].astype(np.int64), clip[equal + k].astype(np.int64)
        keys.append(first << 38 | second << 16 | offset)
    return np.concatenate(keys)
