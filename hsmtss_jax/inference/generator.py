"""From windows to generated sounds and masks: the networks' part of a separation, in batches.

Legend: n windows, W samples of a window, R rows drawn, P patches, C widths, T token or mask frames, K groups,
F bins or bands of a mask.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from hsmtss_jax.audio.masking import blend_gains, mask_gains
from hsmtss_jax.inference.options import SeparateOptions
from hsmtss_jax.inference.rendering import MaskRenderer, WaveRenderer
from hsmtss_jax.inference.requests import RecordingState, Window, read_mono, with_opposites
from hsmtss_jax.inference.stems import Stems
from hsmtss_jax.inference.stopwatch import Stopwatch
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.models.hsm_tss import Prediction, Query
from hsmtss_jax.models.semantics import Semantics
from hsmtss_jax.task import Task

if TYPE_CHECKING:  # the runtime begins with a generator
    from hsmtss_jax.inference.runtime import SeparationRuntime

CACHE_BYTES = 64 << 20  # mixture features kept from the survey to the separation
CANDIDATE_STEP = 1_000_003  # between the seeds of a window's candidates


class WindowGenerator:
    """Make sounds or masks of windows of any recordings, for all their instructions, in batches."""

    def __init__(
        self,
        runtime: "SeparationRuntime",
        options: SeparateOptions,
        instructions: Sequence[Instruction],
        stopwatch: Stopwatch,
        *,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        """Encode the instructions, their opposites and what their presence is taken of.

        Args:
          runtime: the loaded system.
          options: how to separate.
          instructions: all that are asked for in this call.
          stopwatch: takes the time of each step.
          cache_bytes: mixture features kept between ``survey`` and ``make``.
        """
        options = options.resolved(runtime.decodes_masks)
        self._runtime, self._options, self._stopwatch = runtime, options, stopwatch
        asked = with_opposites(instructions) if options.generates_opposite else instructions
        queries = dict.fromkeys([*asked, *(each.extraction for each in instructions)])
        self._places = {query: place for place, query in enumerate(queries)}
        self._policy = options.policy(runtime.pipeline.sampling)
        self._cache_bytes = cache_bytes
        self._cache: dict[tuple[int, int], Semantics] = {}
        with stopwatch.timed("semantics"):
            self._query = runtime.encode_text(list(queries))

    @property
    def opposites(self) -> bool:
        """Return whether the opposite task's sound is generated as well."""
        return self._options.generates_opposite

    def read(self, state: RecordingState) -> Iterator[np.ndarray]:
        """Yield the mono sound of a recording at the networks' rate and at working level, [l]."""
        return read_mono(state)

    def renderer(self, state: RecordingState, *, block: float) -> MaskRenderer | WaveRenderer:
        """Return the renderer of the mode; ``block`` [s] are masked at a time."""
        if self._options.mode == "generate":
            return WaveRenderer(state, self._options)
        return MaskRenderer(state, self._options, block=block)

    def survey(self, windows: Sequence[Window]) -> list[dict[Instruction, np.ndarray]]:
        """Predict all that some windows need, note the cosines, and keep the mixture's features.

        Returns the predicted global features [1, C] of each window.
        """
        mixture = self._encode([window.audio for window in windows])
        self._keep(windows, mixture)
        found, rows = self._predict(windows, mixture)
        return [{query: found.g[row] for query, row in each.items()} for each in rows]

    def make(self, windows: Sequence[Window]) -> list[dict[int, Any]]:
        """Return what the renderer takes of every window's present instructions, by number.

        Gains [T, F] in modes mask and blend, ``Stems`` of sounds [W] in mode generate.
        """
        options = self._options
        if options.mask_from == "decoder":
            return self.masks(windows)
        made = self.generate(windows)
        if options.mode == "generate":
            return made
        return [
            {number: window_gains(window.audio, stems, options) for number, stems in sounds.items()}
            for window, sounds in zip(windows, made, strict=True)
        ]

    def forget(self, index: int) -> None:
        """Drop the kept features of a recording that will not be generated."""
        self._cache = {key: value for key, value in self._cache.items() if key[0] != index}

    def masks(self, windows: Sequence[Window]) -> list[dict[int, np.ndarray]]:
        """Return the mask decoder's gains; nothing is generated."""
        mixture = self._mixture(windows)
        found, rows = self._predict(windows, mixture)
        owners = [
            (place, number)
            for place, window in enumerate(windows)
            for number in window.state.present
        ]
        queries = [windows[place].state.instructions[number] for place, number in owners]
        drawn = [rows[place][query] for (place, _), query in zip(owners, queries, strict=True)]
        places = [place for place, _ in owners]
        with self._stopwatch.timed("mask"):
            made = self._runtime.decode_mask(
                np.stack([windows[place].audio for place in places]),
                jax.tree.map(lambda x: x[places], mixture),
                Semantics(s=found.s[drawn], g=found.g[drawn]),
                self._queries(queries),
            )
        gains: list[dict[int, np.ndarray]] = [{} for _ in windows]
        for (place, number), each in zip(owners, made.gains, strict=True):
            gains[place][number] = np.asarray(each)
        return gains

    def generate(self, windows: Sequence[Window]) -> list[dict[int, Stems[np.ndarray]]]:
        """Return the generated sounds."""
        found, rows = self._predict(windows, self._mixture(windows))
        sounds = self._draw(windows, rows, found)
        return [
            {number: _stems(made, window.state, number) for number in window.state.present}
            for window, made in zip(windows, sounds, strict=True)
        ]

    def _mixture(self, windows: Sequence[Window]) -> Semantics:
        """Return the mixture's features of the windows: the kept ones, the others computed (again)."""
        kept = [self._cache.pop((window.state.index, window.index), None) for window in windows]
        missing = [w.audio for w, features in zip(windows, kept, strict=True) if features is None]
        if missing:
            fresh = self._encode(missing)
            rows = iter(range(len(missing)))
            kept = [_row(fresh, next(rows)) if each is None else each for each in kept]
        return jax.tree.map(lambda *x: np.stack(x), *kept)

    def _encode(self, audio: Sequence[np.ndarray]) -> Semantics:
        with self._stopwatch.timed("semantics"):
            return self._runtime.encode_audio(np.stack(audio))

    def _keep(self, windows: Sequence[Window], mixture: Semantics) -> None:
        room = self._cache_bytes - sum(each.s.nbytes for each in self._cache.values())
        for place, window in enumerate(windows[: max(0, room // mixture.s[0].nbytes)]):
            self._cache[window.state.index, window.index] = _row(mixture, place)

    def _predict(
        self, windows: Sequence[Window], mixture: Semantics
    ) -> tuple[Prediction, list[dict[Instruction, int]]]:
        """Predict in rows; return them and the row of each query of each window. Notes the cosines."""
        pairs = [(place, q) for place, each in enumerate(windows) for q in each.state.predicted]
        states = [windows[place].state for place, _ in pairs]
        places = np.array([place for place, _ in pairs])
        # all rows have a shared feature or none: the option is the call's, and a survey fills in every query
        shared = [s.shared[q] for s, (_, q) in zip(states, pairs, strict=True) if q in s.shared]
        with self._stopwatch.timed("semantics"):
            found = self._runtime.predict(
                jax.tree.map(lambda x: x[places], mixture),
                self._queries([query for _, query in pairs]),
                np.stack(shared) if shared else None,
            )
        rows: list[dict[Instruction, int]] = [{} for _ in windows]
        for row, (place, query) in enumerate(pairs):
            rows[place][query] = row
            cosines = float(found.target_cosine[row]), float(found.mixture_cosine[row])
            windows[place].state.note(query, *cosines)
        return found, rows

    def _draw(
        self,
        windows: Sequence[Window],
        rows: Sequence[Mapping[Instruction, int]],
        found: Prediction,
    ) -> list[dict[Instruction, np.ndarray]]:
        """Return the sound [W] of each query of each window, the best of its candidates."""
        runtime, length, count = self._runtime, windows[0].state.plan.window, self._options.best_of
        owners = [(place, q) for place, each in enumerate(windows) for q in each.state.generated]
        drawn = np.repeat([rows[place][query] for place, query in owners], count)
        queries = [query for _, query in owners for _ in range(count)]
        sources = [windows[place] for place, _ in owners for _ in range(count)]
        tokens = self._sample(sources, queries, found.s[drawn])
        samples = min(length, runtime.clip_samples(max(each.used for each in windows)))
        with self._stopwatch.timed("waveform"):
            audio = runtime.decode_tokens(tokens, samples, gate=self._options.silence_gate)
        best = np.arange(0, len(drawn), count)
        if count > 1:
            scores = self._similarity(audio, queries, found.g[drawn])
            best += scores.reshape(-1, count).argmax(axis=1)
        sounds: list[dict[Instruction, np.ndarray]] = [{} for _ in windows]
        for (place, query), row in zip(owners, best, strict=True):
            windows[place].state.tokens[query] = tokens[row]
            sounds[place][query] = np.pad(audio[row], (0, length - samples))
        return sounds

    def _sample(
        self, windows: Sequence[Window], queries: Sequence[Instruction], s: np.ndarray
    ) -> np.ndarray:
        """Draw tokens [R, T, K] for S [R, P, C] of these windows [R], candidates of a query side by side.

        Continued windows begin with the tokens of the last one.
        """
        runtime, plan = self._runtime, windows[0].state.plan
        seeds = [
            (self._options.seed + window.index + CANDIDATE_STEP * (row % self._options.best_of))
            % 2**32
            for row, window in enumerate(windows)
        ]
        lengths = [runtime.token_frames(window.used) for window in windows]
        shared, hop = plan.overlap // runtime.frame, plan.hop // runtime.frame
        forced = np.zeros((len(windows), shared, runtime.groups), np.int32)
        forced_length = np.zeros(len(windows), np.int32)
        if self._options.windows == "continued":
            for row, (window, query) in enumerate(zip(windows, queries, strict=True)):
                if window.index > 0:
                    forced[row] = window.state.tokens[query][hop : hop + shared]
                    forced_length[row] = shared
        with self._stopwatch.timed("tokens"):
            return runtime.sample(
                s,
                np.array(seeds, np.uint32),
                self._policy,
                lengths=np.array(lengths),
                forced=forced,
                forced_length=forced_length,
            )

    def _similarity(
        self, audio: np.ndarray, queries: Sequence[Instruction], g: np.ndarray
    ) -> np.ndarray:
        """Score each sound [R, L] by what its query asks for, [R]."""
        by_text = [query.task == Task.EXTRACT for query in queries]
        with self._stopwatch.timed("semantics"):
            return self._runtime.similarity(audio, self._queries(queries), g, np.array(by_text))

    def _queries(self, queries: Sequence[Instruction]) -> Query:
        indices = np.array([self._places[query] for query in queries])
        return jax.tree.map(lambda x: x[indices], self._query)


def window_gains(
    audio: np.ndarray, sounds: Stems[np.ndarray], options: SeparateOptions
) -> np.ndarray:
    """Compute a mask on a window [W] from the sounds generated for it: [T, F]."""
    if options.mode == "mask":
        return mask_gains(audio, sounds.target, sounds.residual)
    return blend_gains(audio, sounds.target, options.blend, sounds.residual)


def _row(semantics: Semantics, row: int) -> Semantics:
    return Semantics(s=semantics.s[row], g=semantics.g[row])


def _stems(
    sounds: Mapping[Instruction, np.ndarray], state: RecordingState, number: int
) -> Stems[np.ndarray]:
    """Return an instruction's sound and its opposite's, where that is generated."""
    instruction = state.instructions[number]
    return Stems(sounds[instruction], sounds[instruction.opposite] if state.opposites else None)
