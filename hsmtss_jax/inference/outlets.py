"""Sinks for separated sounds: arrays in memory, or files that are written block by block.

Legend: L samples, l of a block, C channels.
"""

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import numpy as np

from hsmtss_jax.audio.io import check_output, open_writer
from hsmtss_jax.inference.options import Failed, SeparateOptions, SeparationReport, SeparationResult
from hsmtss_jax.inference.recording import Recording
from hsmtss_jax.inference.stems import Stems
from hsmtss_jax.instructions import Instruction

PathLike = str | os.PathLike[str]


class Writer(Protocol):
    """Takes a sound block by block."""

    def write(self, samples: np.ndarray) -> None:
        """Take the next block [l, C]."""


class Sink(Protocol):
    """Where the sounds of one recording go."""

    def open(
        self, recording: Recording, numbers: Sequence[int]
    ) -> AbstractContextManager[Mapping[int, Stems[Writer | None]]]:
        """Yield the writers of these numbers; exits with an exception on failure."""


@dataclasses.dataclass(frozen=True)
class OutputFiles:
    """One instruction of ``separate_files`` and its files: .wav or .flac; None writes none."""

    instruction: str | Instruction
    target: PathLike | None
    residual: PathLike | None = None


class ArraySink:
    """Collects the sounds of one recording in memory."""

    def __init__(self, options: SeparateOptions) -> None:
        self._options = options
        self._sounds: dict[int, Stems[_Array]] = {}

    @contextlib.contextmanager
    def open(
        self, recording: Recording, numbers: Sequence[int]
    ) -> Iterator[Mapping[int, Stems[Writer | None]]]:
        """Yield arrays of these numbers."""
        shape = recording.length, output_channels(recording, self._options)
        for number in numbers:
            rest = _Array(shape) if self._options.residual else None
            self._sounds[number] = Stems(_Array(shape), rest)
        yield {number: self._sounds[number] for number in numbers}

    def result(self, number: int, outcome: SeparationReport | Failed) -> SeparationResult | Failed:
        """Return an instruction's report with its sounds; a failure as it is."""
        if isinstance(outcome, Failed):
            return outcome
        sounds = self._sounds.pop(number)
        known = {field.name: getattr(outcome, field.name) for field in dataclasses.fields(outcome)}
        rest = None if sounds.residual is None else sounds.residual.samples
        return SeparationResult(**known, target=sounds.target.samples, residual=rest)


class FileSink:
    """Writes the sounds of one recording to files, each complete or not there at all."""

    def __init__(
        self, outputs: Sequence[OutputFiles], options: SeparateOptions, subtype: str
    ) -> None:
        self._outputs, self._options, self._subtype = outputs, options, subtype

    def check(self, source: PathLike) -> None:
        """Raise AudioError or ValueError, before any work, for what could not or must not be written."""
        for output in self._outputs:
            for path in (output.target, output.residual):
                if path is None:
                    continue
                check_output(Path(path), self._subtype)
                if Path(path).exists() and Path(source).exists() and os.path.samefile(path, source):
                    raise ValueError(f"{path} would overwrite the input: choose another output")

    @contextlib.contextmanager
    def open(
        self, recording: Recording, numbers: Sequence[int]
    ) -> Iterator[Mapping[int, Stems[Writer | None]]]:
        """Yield file writers of these numbers."""
        with contextlib.ExitStack() as stack:

            def writer(path: PathLike | None) -> Writer | None:
                if path is None:
                    return None
                channels = output_channels(recording, self._options)
                rate = recording.sample_rate
                return stack.enter_context(open_writer(path, rate, channels, subtype=self._subtype))

            chosen = {number: self._outputs[number] for number in numbers}
            yield {
                number: Stems(writer(output.target), writer(output.residual))
                for number, output in chosen.items()
            }


def output_channels(recording: Recording, options: SeparateOptions) -> int:
    """Return the channels of the separated sound."""
    return 1 if options.mode == "generate" else recording.channels


class _Array:
    """A writer in memory: samples [L, C]."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.samples = np.zeros(shape, np.float32)
        self._filled = 0

    def write(self, samples: np.ndarray) -> None:
        end = self._filled + len(samples)
        self.samples[self._filled : end] = samples
        self._filled = end
