"""From the generated windows of a recording to blocks of finished sound, in each output mode.

mask: the recording, attenuated to what the generated sounds say of it. generate: the generated sound
itself, mono. blend: the recording with gains between the two (see ``masking`` for both). Of masks the
gains are crossfaded, of generated sound the waves.

Legend: L samples, C channels, W samples of a window and T mask frames at the system's rate.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from hsmtss_jax.audio.io import Resampler
from hsmtss_jax.audio.masking import BINS, HOP, MaskStream, blend_gains, mask_gains
from hsmtss_jax.audio.overlap_add import Joiner, level_keeping, linear
from hsmtss_jax.audio.silence import silence_gain
from hsmtss_jax.audio.windows import Windows
from hsmtss_jax.inference.recording import Recording

Block = tuple[np.ndarray, np.ndarray | None]  # target and residual, [l, C] each
FADE = 0.040  # seconds: between windows that continue one another


@dataclasses.dataclass(frozen=True)
class Scene:
    """A recording as it is rendered: where its windows lie at ``rate``, and the gain it was given.

    continued: the windows' tokens continue one another; else they were drawn independently.
    """

    recording: Recording
    plan: Windows
    rate: int
    gain: float
    continued: bool


@dataclasses.dataclass(frozen=True)
class Generated:
    """What the model made of a window for one prompt: the target [W], and the opposite task's sound."""

    target: np.ndarray
    opposite: np.ndarray | None = None


class MaskRenderer:
    """mask (``weight`` None) and blend: takes the windows in their order, for all prompts at once."""

    def __init__(self, scene: Scene, prompts: int, weight: float | None, residual: bool) -> None:
        self._weight, self._residual, plan = weight, residual, scene.plan
        hop, window = plan.hop // HOP, plan.window // HOP
        fade = window - hop
        if scene.continued:
            fade = min(fade, round(FADE * scene.rate / HOP))
        self._joiners = [Joiner(hop, window, fade) for _ in range(prompts)]
        recording = scene.recording
        self._stream = MaskStream(
            recording.blocks(),
            recording.length,
            recording.channels,
            recording.sample_rate,
            None if weight is None else BINS,
        )

    def push(
        self, audio: np.ndarray, generated: Sequence[Generated], last: bool
    ) -> Iterator[list[Block]]:
        """A window of the mixture [W] and what was made of it; yields what it finishes.

        A list holds a block of every prompt, all of one length.
        """
        joined = []
        for joiner, sounds in zip(self._joiners, generated, strict=True):
            gains = self._gains(audio, sounds)
            done = joiner.push(gains[:-1])  # the frame behind the window is the next one's first
            if last:
                done = np.concatenate([done, joiner.finish(), gains[-1:]])
            joined.append(done)
        for sound, masked in self._stream.push(joined, last):
            yield [(target, sound - target if self._residual else None) for target in masked]

    def _gains(self, audio: np.ndarray, made: Generated) -> np.ndarray:
        if self._weight is None:
            return mask_gains(audio, made.target, made.opposite)
        return blend_gains(audio, made.target, self._weight, made.opposite)


class WaveRenderer:
    """generate: the model's own sound at the recording's rate; the residual is the opposite task's."""

    def __init__(self, scene: Scene, prompts: int, residual: bool) -> None:
        self._scene, self._residual = scene, residual
        self._waves = [_Wave(scene) for _ in range(prompts * (1 + residual))]

    def push(
        self, audio: np.ndarray, generated: Sequence[Generated], last: bool
    ) -> Iterator[list[Block]]:
        """As ``MaskRenderer.push``; blocks are mono."""
        scene = self._scene
        gain = silence_gain(audio / scene.gain, scene.rate) / scene.gain
        sounds: list[np.ndarray] = []
        for made in generated:
            sounds.append(made.target)
            if self._residual:
                assert made.opposite is not None, "the residual needs the opposite task's sound"
                sounds.append(made.opposite)
        pairs = zip(self._waves, sounds, strict=True)
        done = [wave.push(sound * gain, last) for wave, sound in pairs]
        if not self._residual:
            yield [(target, None) for target in done]
        else:
            yield list(zip(done[::2], done[1::2], strict=True))


class _Wave:
    """One generated sound: windows [W] in, blocks [l, 1] at the recording's rate out, clipped to [-1, 1]."""

    def __init__(self, scene: Scene) -> None:
        plan, recording = scene.plan, scene.recording
        fade = round(FADE * scene.rate)
        if scene.continued:
            self._joiner = Joiner(plan.hop, plan.window, fade, mix=linear)
        else:
            middle = max(0, (plan.overlap - fade) // 2)
            self._joiner = Joiner(plan.hop, plan.window, fade, middle, mix=level_keeping)
        self._resampler = Resampler(scene.rate, recording.sample_rate, 1, plan.length)
        self._left_in, self._left_out = plan.length, recording.length

    def push(self, piece: np.ndarray, last: bool) -> np.ndarray:
        sound = self._joiner.push(piece)
        if last:
            sound = np.concatenate([sound, self._joiner.finish()])
        sound = sound[: self._left_in]
        self._left_in -= len(sound)
        out = self._resampler(sound[:, None])[: self._left_out]
        self._left_out -= len(out)
        if last:  # there and back may be off by a sample
            out = np.pad(out, ((0, self._left_out), (0, 0)))
        return np.clip(out, -1.0, 1.0)
