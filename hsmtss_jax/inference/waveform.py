"""Separation by a network from waveform to waveform, such as AudioSep: every channel is a row.

The network extracts what a description says; to remove it, the recording without it is given. Its rate may
lie below the recording's: the described sound then ends there, and what lies above belongs to the rest.

Legend: n rows, W samples of a window, l of a block, C channels, E width of a query.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from hsmtss_jax.audio.io import Resampler
from hsmtss_jax.audio.overlap_add import OverlapAdd
from hsmtss_jax.inference.joining import WindowJoiner
from hsmtss_jax.inference.options import SeparateOptions
from hsmtss_jax.inference.requests import RecordingState, Window
from hsmtss_jax.inference.stems import Stems
from hsmtss_jax.inference.stopwatch import Stopwatch
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.task import Task

FADE = 0.5  # [s] at most, in the middle of what two windows share, where both have had context
GENERATIVE = (  # options of systems that generate, with nothing to do here
    *("mode", "mask_from", "best_of", "temperature", "top_k", "top_p"),
    *("windows", "global_scope", "min_presence"),
)


class Network(Protocol):
    """Define what the separator needs of a runtime."""

    pipeline: Any
    sample_rate: int

    def encode_text(self, descriptions: Sequence[str]) -> np.ndarray: ...

    def separate(self, audio: np.ndarray, query: np.ndarray) -> np.ndarray: ...


class WaveformSeparator:
    """Separate windows [W, C] of any recordings, in batches: a ``WindowSeparator``."""

    opposites = False

    def __init__(
        self,
        network: Network,
        options: SeparateOptions,
        instructions: Sequence[Instruction],
        stopwatch: Stopwatch,
    ) -> None:
        """Encode the descriptions, each once. Raises ValueError for an option that does not apply."""
        check_options(options, network.pipeline.architecture)
        self._network, self._options, self._stopwatch = network, options, stopwatch
        descriptions = list(dict.fromkeys(each.description for each in instructions))
        with stopwatch.timed("semantics"):
            queries = network.encode_text(descriptions)
        self._queries = dict(zip(descriptions, queries, strict=True))

    def read(self, state: RecordingState) -> Iterator[np.ndarray]:
        """Yield the recording's channels [l, C] at the network's rate and at their own level.

        Their offset is taken away: it stays in the rest.
        """
        recording, offset = state.heard.sounding.recording, state.heard.sounding.offset
        rates = recording.sample_rate, self._network.sample_rate
        resampler = Resampler(*rates, recording.channels, recording.length)
        return (resampler(block - offset) for block in recording.blocks())

    def survey(self, windows: Sequence[Window]) -> list[dict[Instruction, np.ndarray]]:
        """Find nothing: there is no global feature."""
        return [{} for _ in windows]

    def forget(self, index: int) -> None:
        """Do nothing: nothing is kept."""

    def make(self, windows: Sequence[Window]) -> list[dict[int, np.ndarray]]:
        """Extract the described sounds [W, C] of every window, by instruction's number."""
        asked = [(w, d) for w, each in enumerate(windows) for d in _descriptions(each.state)]
        rows = np.concatenate([windows[place].audio.T for place, _ in asked])
        channels = [windows[place].audio.shape[1] for place, _ in asked]
        queries = np.stack([self._queries[description] for _, description in asked])
        used = max(each.used for each in windows)
        with self._stopwatch.timed("waveform"):
            made = self._network.separate(rows[:, :used], np.repeat(queries, channels, axis=0))
        made = np.pad(made, ((0, 0), (0, rows.shape[1] - used)))
        parts = np.split(made, np.cumsum(channels)[:-1])
        sounds = {key: part.T for key, part in zip(asked, parts, strict=True)}
        return [
            {n: sounds[w, _description(each.state, n)] for n in each.state.present}
            for w, each in enumerate(windows)
        ]

    def renderer(self, state: RecordingState, *, block: float) -> "WaveformRenderer":
        """Return the renderer of a recording; its blocks are as long as a window's step."""
        del block
        return WaveformRenderer(state, self._network.sample_rate, residual=self._options.residual)


class WaveformRenderer:
    """Join described sounds, bring them to the recording's rate, and take them from the recording."""

    def __init__(self, state: RecordingState, rate: int, *, residual: bool) -> None:
        """Prepare to render a recording; rate: of the windows [Hz]; residual: give the rest as well."""
        self._state, self._residual = state, residual
        self._waves = {each: _joiner(state, rate) for each in _descriptions(state)}
        self._samples = _Samples(state.heard.sounding.recording.blocks())

    def push(
        self, audio: np.ndarray, described: Mapping[int, np.ndarray], last: bool
    ) -> Iterator[dict[int, Stems[np.ndarray]]]:
        """Take the described sounds [W, C] of a window; yield the blocks that it finishes."""
        found = {_description(self._state, n): sound for n, sound in described.items()}
        done = {each: wave.push(found[each], last) for each, wave in self._waves.items()}
        recording = self._samples.take(len(next(iter(done.values()))))
        blocks = {}
        for number in described:
            sound = done[_description(self._state, number)]
            rest = recording - sound
            extracts = self._state.instructions[number].task == Task.EXTRACT
            target, residual = (sound, rest) if extracts else (rest, sound)
            blocks[number] = Stems(target, residual if self._residual else None)
        yield blocks


class _Samples:
    """Hand out the samples of consecutive blocks [l, C] as many as are wanted."""

    def __init__(self, blocks: Iterator[np.ndarray]) -> None:
        self._blocks = blocks
        self._held: np.ndarray | None = None

    def take(self, count: int) -> np.ndarray:
        """Return the next samples [count, C]."""
        parts = [] if self._held is None else [self._held]
        while not parts or sum(map(len, parts)) < count:
            parts.append(np.asarray(next(self._blocks), np.float32))
        held = np.concatenate(parts)
        self._held = held[count:]
        return held[:count]


def check_options(options: SeparateOptions, kind: str) -> None:
    """Raise ValueError for an option that a waveform network has no use for. kind: of the bundle."""
    default = SeparateOptions()
    for name in GENERATIVE:
        value = getattr(options, name)
        if value != getattr(default, name):
            raise ValueError(
                f"{name.replace('_', '-')} {value} does not apply to a bundle of the kind {kind}: "
                "leave it out, or choose a hierarchical one"
            )


def _joiner(state: RecordingState, rate: int) -> WindowJoiner:
    """Return what joins one described sound, windows [W, C] at ``rate``."""
    plan, recording = state.plan, state.heard.sounding.recording
    fade = min(plan.overlap // 2, round(FADE * rate))
    overlap_add = OverlapAdd(plan.hop, plan.window, fade, (plan.overlap - fade) // 2)
    rates, lengths = (rate, recording.sample_rate), (plan.length, recording.length)
    return WindowJoiner(overlap_add, rates, lengths, recording.channels)


def _description(state: RecordingState, number: int) -> str:
    return state.instructions[number].description


def _descriptions(state: RecordingState) -> list[str]:
    """Return what is described by the present instructions, each once."""
    return list(dict.fromkeys(_description(state, number) for number in state.present))
