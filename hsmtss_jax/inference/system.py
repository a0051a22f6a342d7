"""What any separation system is to the API, the engine and the commands: none of them asks which it is.

A bundle says its architecture, ``load_runtime`` makes the system of it, and a call of the separator drives
the system's ``WindowSeparator``.

Legend: l samples of a block, C channels, W samples of a window.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from hsmtss_jax.inference.options import Mode, SeparateOptions
from hsmtss_jax.inference.requests import RecordingState, Window
from hsmtss_jax.inference.stems import Stems
from hsmtss_jax.inference.stopwatch import Stopwatch
from hsmtss_jax.instructions import Instruction


class Renderer(Protocol):
    """Make blocks of finished sound of a recording's separated windows, in order."""

    def push(
        self, audio: np.ndarray, made: Mapping[int, Any], last: bool
    ) -> Iterator[dict[int, Stems[np.ndarray]]]:
        """Take a window and what was made of it; yield the blocks [l, C] that it finishes.

        All are by the instructions' numbers; the blocks that are yielded together have one length.
        """


class WindowSeparator(Protocol):
    """Separate windows of any recordings for all instructions of one call, in batches."""

    @property
    def opposites(self) -> bool:
        """Return whether the opposite task's sound is made as a sound of its own."""

    def read(self, state: RecordingState) -> Iterator[np.ndarray]:
        """Yield a recording as the networks hear it, at their rate: [l], or [l, C] channel by channel."""

    def survey(self, windows: Sequence[Window]) -> list[dict[Instruction, np.ndarray]]:
        """Look at windows without separating them; return the global features that it finds."""

    def make(self, windows: Sequence[Window]) -> list[dict[int, Any]]:
        """Return what the renderer takes of every window's present instructions, by number."""

    def renderer(self, state: RecordingState, *, block: float) -> Renderer:
        """Return the renderer of a recording; ``block`` [s] are finished at a time."""

    def forget(self, index: int) -> None:
        """Drop what is kept of a recording that will not be separated."""


class System(Protocol):
    """Define what separating needs of a loaded bundle on a device.

    Attributes: pipeline, device, dtype, batch (rows of one program), sample_rate of the networks [Hz], window
    (the longest, in samples), unit (samples that windows are multiples of), modes (of ``SeparateOptions``
    that it knows, its own first).
    """

    pipeline: Any
    device: Any
    dtype: Any
    batch: int
    sample_rate: int
    window: int

    @property
    def unit(self) -> int: ...

    @property
    def modes(self) -> tuple[Mode, ...]: ...

    def begin(
        self,
        options: SeparateOptions,
        instructions: Sequence[Instruction],
        stopwatch: Stopwatch,
        *,
        cache_bytes: int,
    ) -> WindowSeparator:
        """Begin a call for these instructions.

        Args:
          options: how to separate.
          instructions: all that are asked for.
          stopwatch: takes the time of each step.
          cache_bytes: features that may be kept between ``survey`` and ``make``.

        Raises ValueError for options that the system has no use for.
        """
