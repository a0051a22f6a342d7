"""Give back the silence before and behind a recording's sound, which is not separated.

Legend: C channels, W samples of a window.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from hsmtss_jax.inference.options import SeparateOptions
from hsmtss_jax.inference.recording import Recording
from hsmtss_jax.inference.requests import RecordingState
from hsmtss_jax.inference.stems import Stems
from hsmtss_jax.inference.system import Renderer


class OuterSilence:
    """Put the silence before and behind a recording's sound around what a renderer makes of it.

    The target is silent there; the residual is the recording, in mode generate silent as well.
    """

    def __init__(
        self,
        state: RecordingState,
        options: SeparateOptions,
        renderer: Renderer,
    ) -> None:
        """Wrap the renderer of a recording."""
        self._state, self._options, self._renderer = state, options, renderer
        self._begun = False

    def push(
        self, audio: np.ndarray, made: Mapping[int, Any], last: bool
    ) -> Iterator[dict[int, Stems[np.ndarray]]]:
        """Take a window [W] and what the renderer takes of it."""
        heard = self._state.heard
        if not self._begun:
            self._begun = True
            yield from self._silence(heard.whole.part(0, heard.silence_before))
        yield from self._renderer.push(audio, made, last)
        if last:
            length = heard.whole.length
            yield from self._silence(heard.whole.part(length - heard.silence_behind, length))

    def _silence(self, part: Recording) -> Iterator[dict[int, Stems[np.ndarray]]]:
        if not part.length:
            return
        mono = self._options.mode == "generate"
        for block in part.blocks():
            silence = np.zeros((len(block), 1 if mono else part.channels), np.float32)
            rest = silence if mono else block
            stems = Stems(silence, rest if self._options.residual else None)
            yield dict.fromkeys(self._state.present, stems)
