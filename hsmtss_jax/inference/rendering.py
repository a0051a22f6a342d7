"""From what was made of the windows of a recording to blocks of finished sound, in each output mode.

mask, blend: the recording, multiplied by gains. generate: the generated sound itself, mono. Of masks the
gains are crossfaded, of generated sound the waves. Nothing is clipped: a recording may exceed 1.

Legend: L samples, C channels, W samples of a window and T mask frames at the system's rate.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from hsmtss_jax.audio.masking import BINS, BLOCK, HOP, MaskStream
from hsmtss_jax.audio.overlap_add import (
    Crossfade,
    OverlapAdd,
    equal_level_crossfade,
    linear_crossfade,
)
from hsmtss_jax.audio.silence import silence_gain
from hsmtss_jax.inference.joining import WindowJoiner
from hsmtss_jax.inference.options import SeparateOptions
from hsmtss_jax.inference.requests import RecordingState
from hsmtss_jax.inference.stems import Stems

FADE = 0.040  # [s] between windows that continue one another


class MaskRenderer:
    """Render modes mask and blend: takes the windows in order, for all instructions at once."""

    def __init__(
        self, state: RecordingState, options: SeparateOptions, *, block: float = BLOCK
    ) -> None:
        """Prepare to render a recording; ``block`` [s] are masked at a time."""
        self._options, plan = options, state.plan
        hop, window = plan.hop // HOP, plan.window // HOP
        fade = window - hop
        if options.windows == "continued":
            fade = min(fade, round(FADE * state.rate / HOP))
        self._joined = {number: OverlapAdd(hop, window, fade) for number in state.present}
        recording = state.heard.sounding.recording
        self._stream = MaskStream(
            recording.blocks(),
            recording.length,
            recording.channels,
            recording.sample_rate,
            None if options.gains_of_bands else BINS,
            block=block,
        )

    def push(
        self, audio: np.ndarray, gains: Mapping[int, np.ndarray], last: bool
    ) -> Iterator[dict[int, Stems[np.ndarray]]]:
        """Take each instruction's gains [T, F] of a window; yield the blocks that it finishes.

        All are by the instructions' numbers; the blocks that are yielded together have one length.
        """
        joined = []
        for number, overlap_add in self._joined.items():
            own = gains[number]
            # the frame behind the window is the next one's first
            done = overlap_add.push(own[:-1])
            if last:
                done = np.concatenate([done, overlap_add.finish(), own[-1:]])
            joined.append(done)
        for sound, masked in self._stream.push(joined, last):
            rest = self._options.residual
            blocks = [Stems(target, sound - target if rest else None) for target in masked]
            yield dict(zip(self._joined, blocks, strict=True))


class WaveRenderer:
    """Render mode generate: the model's sound at the recording's rate; the residual is the opposite's.

    The recording's digital silence is put back unless ``silence_gate`` is off.
    """

    def __init__(
        self,
        state: RecordingState,
        options: SeparateOptions,
        *,
        crossfade: Crossfade = equal_level_crossfade,
    ) -> None:
        """Prepare to render a recording; crossfade: between windows drawn independently."""
        self._state, self._options = state, options
        continued = options.windows == "continued"
        self._waves = {
            number: Stems(
                _joiner(state, continued, crossfade),
                _joiner(state, continued, crossfade) if options.residual else None,
            )
            for number in state.present
        }

    def push(
        self, audio: np.ndarray, generated: Mapping[int, Stems[np.ndarray]], last: bool
    ) -> Iterator[dict[int, Stems[np.ndarray]]]:
        """Take a window of the mixture [W] and each instruction's sounds; blocks are mono."""
        gain = self._gain(audio)
        blocks = {}
        for number, waves in self._waves.items():
            sounds = generated[number]
            target = waves.target.push(sounds.target * gain, last)
            rest = None
            if waves.residual is not None and sounds.residual is not None:
                rest = waves.residual.push(sounds.residual * gain, last)
            blocks[number] = Stems(target, rest)
        yield blocks

    def _gain(self, audio: np.ndarray) -> np.ndarray | np.float32:
        """Return the gain from working level back to the recording's, 0 in its silence."""
        state = self._state
        if not self._options.silence_gate:
            return np.float32(1 / state.gain)
        return silence_gain(audio, state.rate) / state.gain


def _joiner(state: RecordingState, continued: bool, crossfade: Crossfade) -> WindowJoiner:
    """Return what joins one generated sound, mono windows [W]."""
    plan, recording = state.plan, state.heard.sounding.recording
    fade = round(FADE * state.rate)
    tail = 0 if continued else max(0, (plan.overlap - fade) // 2)
    kind = linear_crossfade if continued else crossfade
    overlap_add = OverlapAdd(plan.hop, plan.window, fade, tail, kind)
    rates, lengths = (state.rate, recording.sample_rate), (plan.length, recording.length)
    return WindowJoiner(overlap_add, rates, lengths, 1)
