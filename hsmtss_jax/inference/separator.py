"""The public API: a recording and a sentence in, the sound that was asked for out.

Legend: L samples, C channels, n windows, T token frames, K groups.
"""

import dataclasses
import os
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from hsmtss_jax.audio.io import read_audio, resample, to_mono
from hsmtss_jax.inference.chunking import Windows, crossfade_join, cut, plan_windows
from hsmtss_jax.inference.masking import apply_mask, mask_gains
from hsmtss_jax.inference.pipeline import load_pipeline
from hsmtss_jax.inference.silence import silence_gain
from hsmtss_jax.inference.system import Semantics, System
from hsmtss_jax.instructions import Instruction, parse
from hsmtss_jax.sampling.policies import Policy

Progress = Callable[[int, int], None]  # windows done, windows in all
MODES = ("mask", "generate")  # the first is the default
BATCH = 4  # windows that go through the feature networks at once
QUIET_DB, LOUD_DB = -45.0, -10.0  # active level that the networks are used to
SILENCE = 10 ** (-90 / 20)  # peak below which a recording counts as silent


@dataclasses.dataclass(frozen=True)
class SeparationResult:
    """target: float32 [L, C] in [-1, 1], of the input's length and rate.

    mode: how it was made; mask keeps the input's channels, generate gives one. timing: seconds by step.
    windows: how many there were.
    """

    target: np.ndarray
    sample_rate: int
    instruction: Instruction
    mode: str
    windows: int
    timing: dict[str, float]


class Separator:
    """Text-queried separation with a loaded pipeline bundle.

    >>> separator = Separator.from_pretrained()          # the demo bundle
    >>> result = separator.separate("street.wav", "remove the dog barking")
    """

    def __init__(self, system: System, overlap: float = 0.25) -> None:
        """overlap: share of a window that is taken over from the one before (0 to 0.9)."""
        if not 0 <= overlap <= 0.9:
            raise ValueError(f"the overlap must lie between 0 and 0.9, got {overlap}")
        self.system = system
        column = 8 * system.frame
        self._overlap = round(overlap * system.window / column) * column

    @classmethod
    def from_pretrained(
        cls, folder: str | os.PathLike[str] | None = None, **options: Any
    ) -> "Separator":
        """Load a pipeline bundle; the default is the demo bundle of this package."""
        path = demo_bundle() if folder is None else Path(folder)
        return cls(System(load_pipeline(path)), **options)

    def separate(
        self,
        audio: np.ndarray | str | os.PathLike[str],
        instruction: str | Instruction,
        *,
        sample_rate: int | None = None,
        mode: str = MODES[0],
        seed: int = 0,
        policy: Policy | None = None,
        progress: Progress | None = None,
    ) -> SeparationResult:
        """audio: a path, or float samples [L] or [L, C] with their ``sample_rate``.

        mode: mask attenuates the recording to what the generated sound has of it (see ``masking``);
        generate gives that sound itself, as in the paper.

        The sound is worked on in mono at 16 kHz in windows; each window's tokens continue those of the
        window before. Raises ValueError for sound that cannot be separated (silent, shorter than
        50 ms, NaN), for an empty instruction and for an unknown mode.
        """
        if mode not in MODES:
            raise ValueError(f"unknown mode {mode!r}: choose one of {', '.join(MODES)}")
        started = time.perf_counter()
        samples, rate = _as_samples(audio, sample_rate)
        request = parse(instruction) if isinstance(instruction, str) else instruction
        mono, gain = _prepare(samples, rate, self.system.sample_rate)
        plan = plan_windows(len(mono), self.system.window, self._overlap, self.system.frame)
        semantics = self._semantics(cut(mono, plan), request)
        heard = time.perf_counter()
        tokens = self._tokens(semantics, plan, seed, policy, progress)
        sampled = time.perf_counter()
        generated = self._decode(tokens, plan)[: len(mono)]
        if mode == "mask":
            target = apply_mask(samples, rate, mask_gains(mono, generated))
        else:
            sound = generated / gain * silence_gain(mono / gain, self.system.sample_rate)
            target = resample(sound[:, None], self.system.sample_rate, rate)
        target = np.clip(_fit(target, len(samples)), -1.0, 1.0).astype(np.float32)
        timing = {
            "semantics": heard - started,
            "tokens": sampled - heard,
            "waveform": time.perf_counter() - sampled,
        }
        return SeparationResult(target, rate, request, mode, plan.count, timing)

    def _semantics(self, windows: np.ndarray, request: Instruction) -> np.ndarray:
        """S_hat [n, P, C] of windows [n, W], in batches of one static shape."""
        batch = 1 if len(windows) == 1 else BATCH
        query = self.system.query(request.task, request.description, batch)
        found = []
        for start in range(0, len(windows), batch):
            part = windows[start : start + batch]
            full = np.pad(part, ((0, batch - len(part)), (0, 0)))
            mixture: Semantics = self.system.listen(full)
            found.append(np.asarray(self.system.separate(mixture, query).s)[: len(part)])
        return np.concatenate(found)

    def _tokens(
        self,
        semantics: np.ndarray,
        plan: Windows,
        seed: int,
        policy: Policy | None,
        progress: Progress | None,
    ) -> np.ndarray:
        """Tokens [n, T, K]; a window starts from the tokens of the one before in their overlap."""
        policy = policy or self.system.pipeline.sampling
        shared = self._overlap // self.system.frame
        hop = plan.hop // self.system.frame
        shape = (1, shared, self.system.decoder_config.groups)
        tokens: list[np.ndarray] = []
        for i in range(plan.count):
            # The first window forces none of them, so that all windows are one compiled program.
            forced = tokens[-1][None, hop : hop + shared] if i else np.zeros(shape, np.int32)
            count = np.array([shared if i else 0], np.int32)
            seeds = np.array([(seed + i) % 2**32], np.uint32)
            row = self.system.sample(semantics[i : i + 1], seeds, policy, forced, count)
            tokens.append(np.asarray(row)[0])
            if progress:
                progress(i + 1, plan.count)
        return np.stack(tokens)

    def _decode(self, tokens: np.ndarray, plan: Windows) -> np.ndarray:
        """Waveform of token windows [n, T, K], joined where the codec has had the most context."""
        pieces = [self.system.decode(row[None], plan.window)[0] for row in tokens]
        fade = min(self._overlap, 2 * self.system.frame)
        return crossfade_join(np.stack(pieces), plan.hop, fade)


def demo_bundle() -> Path:
    """The folder of the demo bundle inside the package."""
    return Path(str(resources.files("hsmtss_jax") / "assets" / "demo"))


def _as_samples(
    audio: np.ndarray | str | os.PathLike[str], sample_rate: int | None
) -> tuple[np.ndarray, int]:
    """Samples [L, C] float32 and their rate."""
    if isinstance(audio, np.ndarray):
        if sample_rate is None or sample_rate <= 0:
            raise ValueError("give the sample_rate of the samples")
        if audio.ndim not in (1, 2):
            raise ValueError(f"samples must be [L] or [L, C], got shape {audio.shape}")
        samples = audio.astype(np.float32)
        return (samples[:, None] if samples.ndim == 1 else samples), sample_rate
    file = read_audio(audio)
    return file.samples, file.sample_rate


def check_recording(samples: np.ndarray, rate: int) -> None:
    """Raises ValueError for samples [L, C] that cannot be separated: NaN, too short, silent."""
    if not np.isfinite(samples).all():
        raise ValueError("the recording holds NaN or infinite samples: repair it first")
    if len(samples) < 0.05 * rate:
        raise ValueError(
            f"the recording is too short ({len(samples)} samples at {rate} Hz): it takes 50 ms"
        )
    if np.abs(to_mono(samples)).max() < SILENCE:
        raise ValueError("the recording is silent: there is nothing to separate")


def _prepare(samples: np.ndarray, rate: int, to_rate: int) -> tuple[np.ndarray, float]:
    """Mono sound at ``to_rate`` at a level the networks know, and the gain that was applied."""
    check_recording(samples, rate)
    mono = resample(to_mono(samples)[:, None], rate, to_rate)[:, 0]
    level = _active_level_db(mono, to_rate // 40)
    gain = 10 ** ((np.clip(level, QUIET_DB, LOUD_DB) - level) / 20)
    gain = min(gain, 1 / max(np.abs(mono).max(), 1e-9)) if gain > 1 else gain
    return (mono * gain).astype(np.float32), float(gain)


def _active_level_db(mono: np.ndarray, frame: int) -> float:
    """RMS in dBFS, -120 at least, over the frames within 30 dB of the loudest."""
    power = (cut(mono, plan_windows(len(mono), frame, 0)) ** 2).mean(axis=1)
    active = power[power >= 1e-3 * power.max()]
    return float(10 * np.log10(max(active.mean(), 1e-12)))


def _fit(audio: np.ndarray, length: int) -> np.ndarray:
    """Cut or zero-pad [L, C] to ``length`` (resampling there and back may be off by a sample)."""
    return np.pad(audio[:length], ((0, max(0, length - len(audio))), (0, 0)))
