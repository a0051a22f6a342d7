"""Sinks for separated sounds: arrays in memory, or files that are written block by block.

Legend: L samples, l of a block, C channels.
"""

import contextlib
import dataclasses
import functools
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import numpy as np

from hsmtss_jax.audio.clipping import Planned, Sounds, open_together
from hsmtss_jax.audio.io import (
    Encoding,
    Metadata,
    check_place,
    choose,
    plan_output,
    read_metadata,
)
from hsmtss_jax.audio.output import OutputOptions
from hsmtss_jax.inference.options import Failed, SeparateOptions, SeparationReport, SeparationResult
from hsmtss_jax.inference.recording import File, Recording
from hsmtss_jax.inference.stems import Stems
from hsmtss_jax.instructions import Instruction

PathLike = str | os.PathLike[str]


class Writer(Protocol):
    """Take a sound block by block."""

    def write(self, samples: np.ndarray) -> None:
        """Take the next block [l, C]."""


class Sink(Protocol):
    """Define where the sounds of one recording go."""

    def open(
        self, recording: Recording, numbers: Sequence[int]
    ) -> AbstractContextManager[Mapping[int, Stems[Writer | None]]]:
        """Yield the writers of these numbers; exits with an exception on failure."""


@dataclasses.dataclass(frozen=True)
class OutputFiles:
    """Name an instruction of ``separate_files`` and its files: .wav or .flac; None writes none."""

    instruction: str | Instruction
    target: PathLike | None
    residual: PathLike | None = None

    @property
    def paths(self) -> list[Path]:
        """Return those that are written."""
        return [Path(path) for path in (self.target, self.residual) if path is not None]


class ArraySink:
    """Collect the sounds of one recording in memory."""

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
    """Write the sounds of one recording to files, each complete or not there at all."""

    def __init__(
        self,
        outputs: Sequence[OutputFiles],
        options: SeparateOptions,
        output: OutputOptions | None = None,
    ) -> None:
        self._outputs, self._options = outputs, options
        self._output = output or OutputOptions()
        self._encodings: dict[Path, Encoding] = {}
        self._gains: dict[int, float] = {}

    def check(self, source: PathLike, length: int | None = None) -> None:
        """Choose how to write. length: samples of the recording that are separated; None: all.

        Raises AudioError or ValueError, before any work, for what could not or must not be written.
        """
        mono = self._options.mode == "generate"
        for output in self._outputs:
            for path in output.paths:
                encoding = plan_output(path, source, self._output, mono=mono, length=length)
                check_place(path)
                if path.exists() and Path(source).exists() and os.path.samefile(path, source):
                    raise ValueError(f"{path} would overwrite the input: choose another output")
                self._encodings[path] = encoding

    @contextlib.contextmanager
    def open(
        self, recording: Recording, prompts: Sequence[int]
    ) -> Iterator[Mapping[int, Stems[Writer | None]]]:
        """Yield file writers for these prompts."""
        sounds = Sounds(
            recording.sample_rate, output_channels(recording, self._options), recording.length
        )
        metadata = self._metadata(recording)
        with contextlib.ExitStack() as stack:

            def opened(number: int) -> Stems[Writer | None]:
                output = self._outputs[number]
                files = [Planned(path, self._encoding(path)) for path in output.paths]
                together = open_together(
                    files,
                    sounds,
                    self._output,
                    metadata,
                    bounded=not files,
                    told=functools.partial(self._gains.__setitem__, number),
                )
                writers = iter(stack.enter_context(together))
                target = None if output.target is None else next(writers)
                return Stems(target, None if output.residual is None else next(writers))

            yield {number: opened(number) for number in prompts}

    def told(
        self, outcomes: Sequence[SeparationReport | Failed]
    ) -> list[SeparationReport | Failed]:
        """Return the reports of all prompts with the gain under which their sounds were written."""
        return [
            outcome
            if isinstance(outcome, Failed)
            else dataclasses.replace(outcome, gain=self._gains.get(number, 1.0))
            for number, outcome in enumerate(outcomes)
        ]

    def _encoding(self, path: Path) -> Encoding:
        if path not in self._encodings:
            self._encodings[path] = choose(path, self._output)
        return self._encodings[path]

    def _metadata(self, recording: Recording) -> Metadata:
        if not isinstance(recording, File):
            return Metadata()
        return read_metadata(recording.path, recording.start, tags=self._output.tags)


def output_channels(recording: Recording, options: SeparateOptions) -> int:
    """Return the channels of the separated sound."""
    return 1 if options.mode == "generate" else recording.channels


class _Array:
    """Write to memory: samples [L, C]."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.samples = np.zeros(shape, np.float32)
        self._filled = 0

    def write(self, samples: np.ndarray) -> None:
        end = self._filled + len(samples)
        self.samples[self._filled : end] = samples
        self._filled = end
