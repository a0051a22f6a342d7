"""Time-frequency mask from the ratio of generated to recorded band energy.

The decoder invents a waveform that sounds like the target and is not aligned with it in phase. Its energy
in bands over time, beside the recording's and that of what the decoder makes of the opposite task, says
how much of the recording belongs to the target; the recording's spectrum, at its own rate and in all its
channels, is attenuated to that. Nothing is added, and target + rest = recording; an offset and drift (see
``audio.drift``) belong to neither sound and stay in the rest.

Legend: L samples, C channels, T mask frames, M bands.
"""

import functools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from scipy import fft

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.audio.drift import drift
from hsmtss_jax.audio.mel import mel_filterbank

WINDOW, HOP = 1024, 256  # [samples] at 16 kHz
BANDS = 32
ALONE = 0.35  # exponent of the energy ratio: 0.5 matches the energies, less is kinder to wrong estimates
RATIO, SHARE = 0.1, 0.25  # exponents of the ratio and of the share beside the opposite sound
BINS = np.arange(WINDOW // 2 + 1) * (SAMPLE_RATE / WINDOW)  # Hz of the gains of ``blend_gains``
LOUDER = 2.0  # the most that a blend turns a bin up
BLOCK = 10.0  # [s] masked at a time by default


def mask_gains(
    mixture: np.ndarray, target: np.ndarray, opposite: np.ndarray | None = None
) -> np.ndarray:
    """Compute gains float32 [T, M] in [0, 1] from sounds [L] at 16 kHz, frame t at t * HOP samples.

    target: the generated sound, of energy t where the mixture has m: (t / m) ^ 0.35, at most 1. With the
    sound that the opposite task generates, of energy o: (t / m) ^ 0.1 (t / (t + o)) ^ 0.25.
    """
    energy = _band_energy(target)
    ratio = np.minimum(energy / np.maximum(_band_energy(mixture), 1e-20), 1.0)
    if opposite is None:
        return (ratio**ALONE).astype(np.float32)
    share = (energy + 1e-12) / (energy + _band_energy(opposite) + 2e-12)
    return (ratio**RATIO * share**SHARE).astype(np.float32)


def blend_gains(
    mixture: np.ndarray, target: np.ndarray, weight: float, opposite: np.ndarray | None = None
) -> np.ndarray:
    """Compute gains float32 [T, F] in [0, LOUDER] of the ``BINS``, from ``mask_gains`` (weight 0) towards
    the target's own magnitudes (weight 1), bin by bin.

    Between the two it is a geometric mean: mask^(1 - weight) ratio^weight.
    """
    spectra = [np.abs(_spectrum(x)) for x in (mixture, target)]
    ratio = np.minimum(spectra[1] / np.maximum(spectra[0], 1e-10), LOUDER)
    bands = mask_gains(mixture, target, opposite)
    times = np.arange(len(bands)) * HOP / SAMPLE_RATE
    mask = _resampled(bands, times, BINS, _centres()).T
    return (mask ** (1 - weight) * ratio**weight).astype(np.float32)


def apply_mask(
    recording: np.ndarray, sample_rate: int, gains: np.ndarray, *, block: float = BLOCK
) -> np.ndarray:
    """Attenuate a recording [L, C] at any rate by gains [T, M]: float32 [L, C].

    Above 8 kHz the gain of the highest band goes on. Spectra are held for ``block`` [s] at a time.
    """
    stream = MaskStream([recording], len(recording), recording.shape[1], sample_rate, block=block)
    return np.concatenate([masked for _, (masked,) in stream.push([gains], last=True)])


class MaskStream:
    """Apply masks to a recording, block by block, as ``apply_mask`` does at once; several masks at a time.

    The spectrum is computed once for all masks.
    """

    def __init__(
        self,
        blocks: Iterable[np.ndarray],
        length: int,
        channels: int,
        sample_rate: int,
        centres: np.ndarray | None = None,
        *,
        block: float = BLOCK,
    ) -> None:
        """Prepare to mask a recording.

        Args:
          blocks: the recording [l, C], ``length`` samples in all.
          length: samples of the recording, L.
          channels: channels of the recording, C.
          sample_rate: of the recording [Hz].
          centres: [Hz] of the masks' bands [M]; None: those of ``mask_gains``.
          block: seconds that are masked at a time.
        """
        self._rate, self._length = sample_rate, length
        self._centres = _centres() if centres is None else centres
        hop = max(1, round(HOP / SAMPLE_RATE * sample_rate))
        self._hop = fft.next_fast_len(hop, real=True)  # at 44.1 kHz it would be twice a prime
        self._window = self._hop * (WINDOW // HOP)
        self._context = (
            2 * self._window
        )  # of a block on both sides: spectra overlap it, and drift those
        self._blocks = iter(blocks)
        self._block = max(1, int(block * sample_rate) // self._hop) * self._hop
        self._held = np.zeros((0, channels), np.float32)  # samples from _begin on
        self._begin = self._done = 0
        self._gains: list[np.ndarray] = []  # of each mask, frames from _frame on
        self._frame = 0

    def push(
        self, gains: Sequence[np.ndarray], last: bool = False
    ) -> Iterator[tuple[np.ndarray, list[np.ndarray]]]:
        """Take the next frames [t, M] of every mask, the same number each; last: there are no more.

        Yields (finished samples of the recording [l, C], those samples by every mask).
        """
        if self._gains:
            gains = [np.concatenate(pair) for pair in zip(self._gains, gains, strict=True)]
        self._gains = list(gains)
        limit = self._length if last else self._ready()
        while self._done < limit:
            end = min(self._done + self._block, limit)
            yield self._finish(end)
            self._forget(end)

    def _ready(self) -> int:
        """Return the number of samples whose spectra have all their gains, a multiple of the hop."""
        known = (self._frame + len(self._gains[0]) - 2) * HOP / SAMPLE_RATE * self._rate
        return max(0, int(known - self._window) // self._hop * self._hop)

    def _finish(self, end: int) -> tuple[np.ndarray, list[np.ndarray]]:
        begin = max(0, self._done - self._context)
        self._read(min(end + self._context, self._length))
        part = self._held[begin - self._begin : end + self._context - self._begin]
        masked = self._masked(part, begin)
        own = slice(self._done - begin, end - begin)
        return part[own], [sound[own] for sound in masked]

    def _read(self, end: int) -> None:
        """Read the recording up to sample ``end`` into the buffer."""
        parts, have = [self._held], self._begin + len(self._held)
        while have < end:
            parts.append(np.asarray(next(self._blocks), np.float32))
            have += len(parts[-1])
        self._held = np.concatenate(parts) if len(parts) > 1 else self._held

    def _forget(self, end: int) -> None:
        """Drop samples and gains that lie too far before ``end``, the next sample to finish."""
        self._done = end
        begin = max(0, end - self._context)
        self._held = self._held[max(0, begin - self._begin) :]
        self._begin = max(self._begin, begin)
        frame = max(self._frame, int(begin / self._rate * SAMPLE_RATE / HOP) - 1)
        self._gains = [gains[frame - self._frame :] for gains in self._gains]
        self._frame = frame

    def _masked(self, part: np.ndarray, begin: int) -> list[np.ndarray]:
        """Apply every mask to a block [n, C] that starts at sample ``begin``, a multiple of the hop."""
        from scipy import signal  # 0.5 s of import: it brings scipy.stats along

        options = {
            "fs": self._rate,
            "window": "hann",
            "nperseg": self._window,
            "noverlap": self._window - self._hop,
        }
        sound = part - drift(part, self._rate)
        padded = np.pad(sound, ((0, max(0, self._window - len(part))), (0, 0)))
        freq, times, spectrum = signal.stft(padded, axis=0, **options)  # [F, C, T']
        times = times + begin / self._rate - self._frame * HOP / SAMPLE_RATE
        sounds = []
        for gains in self._gains:
            gain = _resampled(gains, times, freq, self._centres)[:, None, :]
            _, out = signal.istft(spectrum * gain, time_axis=-1, freq_axis=0, **options)
            sounds.append(out.T[: len(part)].astype(np.float32))
        return sounds


def _resampled(
    gains: np.ndarray, times: np.ndarray, freq: np.ndarray, centres: np.ndarray
) -> np.ndarray:
    """Interpolate gains [T, M] linearly at other times [s] and frequencies [Hz]: [F, T']."""
    low, share = _between(times * SAMPLE_RATE / HOP, np.arange(len(gains)))
    share = share[:, None]
    gains = gains[low] * (1 - share) + gains[np.minimum(low + 1, len(gains) - 1)] * share
    low, share = _between(freq, centres)
    high = np.minimum(low + 1, len(centres) - 1)
    return (gains[:, low] * (1 - share) + gains[:, high] * share).T


def _between(x: np.ndarray, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Locate x among rising grid points: (the point below, the share of the way to the next)."""
    place = np.interp(x, grid, np.arange(len(grid)))
    low = place.astype(int)
    return low, (place - low).astype(np.float32)


def _band_energy(x: np.ndarray) -> np.ndarray:
    """Compute the band energies [T, M] of sound [L] at 16 kHz."""
    return np.abs(_spectrum(x)) ** 2 @ _filters()


def _spectrum(x: np.ndarray) -> np.ndarray:
    """Compute the complex spectrum [T, F] of sound [L] at 16 kHz."""
    from scipy import signal

    padded = np.pad(x, (0, max(0, WINDOW - len(x))))
    return signal.stft(padded, SAMPLE_RATE, "hann", WINDOW, WINDOW - HOP, scaling="spectrum")[2].T


@functools.cache
def _filters() -> np.ndarray:
    """Compute triangular mel bands [F, M] up to 8 kHz."""
    return mel_filterbank(BANDS, WINDOW, SAMPLE_RATE, 0.0, SAMPLE_RATE / 2, "slaney")


@functools.cache
def _centres() -> np.ndarray:
    """Compute the centre frequency of each band [Hz], [M]."""
    filters = _filters()
    return BINS @ filters / filters.sum(axis=0)
