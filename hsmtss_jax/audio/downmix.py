"""Mix channels down to one in which nothing cancels, block by block.

Each bin of a short-time spectrum gets the channels' mean energy, so that no sound is lost and none gains by
how it is panned, delayed or wired; the phase is that of a sum with unequal weights, in which only what is in
one channel exactly the negative multiple of the others could vanish. Of equal channels it is the mean.

Legend: l samples of a block, C channels, n frames, F bins.
"""

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
from scipy import fft

WINDOW, HOP = (
    512,
    256,
)  # [samples] 32 ms at 16 kHz; square roots of a Hann window, which add up to 1


def phase_weights(covariance: np.ndarray) -> np.ndarray:
    """Choose the weights [C] of the sum that gives the phase, from the channels' covariance [C, C].

    They fall as 1, 1/2, 1/3 from the loudest channel on, with the sign of the correlation to that: neither
    the order of the channels nor the polarity of one changes what is heard.
    """
    order = np.argsort(-np.diag(covariance), kind="stable")
    weights = np.empty(len(order), np.float32)
    weights[order] = 1 / (1 + np.arange(len(order)))
    return np.where(covariance[order[0]] < 0, -weights, weights)


def downmix(blocks: Iterable[np.ndarray], weights: np.ndarray) -> Iterator[np.ndarray]:
    """Mix consecutive blocks [l, C] down to as many samples, [l] at a time; weights: ``phase_weights``."""
    if len(weights) == 1:
        yield from (block[:, 0] for block in blocks)
        return
    channels = len(weights)
    held = np.zeros((HOP, channels), np.float32)
    tail, passed, due = (
        np.zeros(HOP, np.float32),
        -HOP,
        0,
    )  # the first frame begins before the sound
    for block in itertools.chain(blocks, [None]):
        if block is not None:
            due += len(block)
        held = np.concatenate([held, np.zeros((WINDOW, channels)) if block is None else block])
        count = (len(held) - HOP) // HOP
        frames = _mixed(held[: (count + 1) * HOP].astype(np.float32, copy=False), weights)
        joined = np.concatenate([tail[None], frames[:, HOP:]])
        sound = (joined[:-1] + frames[:, :HOP]).reshape(-1)
        held, tail = held[count * HOP :], joined[-1]
        yield sound[max(0, -passed) : max(0, due - passed)]
        passed += len(sound)


def _mixed(sound: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the windowed frames [n, WINDOW] of the downmix of [(n + 1) HOP, C]."""
    if len(sound) < WINDOW:
        return np.zeros((0, WINDOW), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW, axis=0)[::HOP]  # [n, C, W]
    spectra = fft.rfft(frames * _window(), axis=-1)
    energy = np.mean(spectra.real**2 + spectra.imag**2, axis=1)
    phase = np.einsum("ncf,c->nf", spectra, weights)
    mixed = phase * (np.sqrt(energy) / np.maximum(np.abs(phase), np.finfo(np.float32).tiny))
    return fft.irfft(mixed, WINDOW, axis=-1) * _window()


def _window() -> np.ndarray:
    return np.sin(np.pi * np.arange(WINDOW, dtype=np.float32) / WINDOW)
