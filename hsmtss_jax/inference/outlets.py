"""Where separated sounds go: arrays in memory, or files that are written block by block.

Legend: L samples, C channels.
"""

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from hsmtss_jax.audio.io import check_output, open_writer
from hsmtss_jax.inference.engine import Sink, Sinks
from hsmtss_jax.inference.options import Options
from hsmtss_jax.inference.recording import Recording
from hsmtss_jax.inference.result import SeparationReport, SeparationResult
from hsmtss_jax.instructions import Instruction

PathLike = str | os.PathLike[str]
Opened = Recording | ValueError | OSError


@dataclasses.dataclass(frozen=True)
class Output:
    """One prompt of ``separate_files`` and where its sounds go: .wav or .flac; None writes none."""

    instruction: str | Instruction
    target: PathLike | None
    residual: PathLike | None = None


class ArrayOutlet:
    """Gathers the sounds of one recording in memory."""

    def __init__(self, recording: Opened, options: Options) -> None:
        self._recording, self._options = recording, options
        self._sounds: dict[int, tuple[_Array, _Array | None]] = {}

    @contextlib.contextmanager
    def open(self, numbers: Sequence[int]) -> Iterator[Sinks]:
        """Arrays for these prompts."""
        assert isinstance(self._recording, Recording)
        shape = self._recording.length, sound_channels(self._recording, self._options)
        for number in numbers:
            rest = _Array(shape) if self._options.residual else None
            self._sounds[number] = _Array(shape), rest
        yield [self._sounds[number] for number in numbers]

    def result(
        self, number: int, outcome: SeparationReport | ValueError | OSError
    ) -> SeparationResult | ValueError | OSError:
        """A prompt's report with its sounds; an error is what it was."""
        if not isinstance(outcome, SeparationReport):
            return outcome
        target, residual = self._sounds.pop(number)
        known = {field.name: getattr(outcome, field.name) for field in dataclasses.fields(outcome)}
        rest = None if residual is None else residual.samples
        return SeparationResult(**known, target=target.samples, residual=rest)


class FileOutlet:
    """Writes the sounds of one recording to files, each complete or not there at all."""

    def __init__(
        self, recording: Opened, outputs: Sequence[Output], options: Options, subtype: str
    ) -> None:
        self._recording, self._outputs = recording, outputs
        self._options, self._subtype = options, subtype

    def check(self, source: PathLike) -> None:
        """Raises AudioError or ValueError, before any work, for what could not or must not be written."""
        for output in self._outputs:
            for path in (output.target, output.residual):
                if path is None:
                    continue
                check_output(Path(path), self._subtype)
                if Path(path).exists() and Path(source).exists() and os.path.samefile(path, source):
                    raise ValueError(f"{path} would overwrite the input: choose another output")

    @contextlib.contextmanager
    def open(self, numbers: Sequence[int]) -> Iterator[Sinks]:
        """Writers for these prompts."""
        with contextlib.ExitStack() as stack:
            yield [
                (
                    self._writer(stack, self._outputs[number].target),
                    self._writer(stack, self._outputs[number].residual),
                )
                for number in numbers
            ]

    def _writer(self, stack: contextlib.ExitStack, path: PathLike | None) -> Sink | None:
        if path is None:
            return None
        assert isinstance(self._recording, Recording)
        channels = sound_channels(self._recording, self._options)
        rate = self._recording.sample_rate
        return stack.enter_context(open_writer(path, rate, channels, subtype=self._subtype))


def sound_channels(recording: Recording, options: Options) -> int:
    """Channels of what a mode gives."""
    return 1 if options.mode == "generate" else recording.channels


class _Array:
    """A sink in memory: samples [L, C]."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.samples = np.zeros(shape, np.float32)
        self._filled = 0

    def write(self, samples: np.ndarray) -> None:
        end = self._filled + len(samples)
        self.samples[self._filled : end] = samples
        self._filled = end
