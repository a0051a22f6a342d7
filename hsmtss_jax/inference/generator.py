"""From windows to generated sounds: the networks' part of a separation, in batches.

Legend: n windows, W samples of a window, R rows drawn, P patches, C widths, T token frames, K groups.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np

from hsmtss_jax.inference.options import SeparateOptions
from hsmtss_jax.inference.rendering import WindowSounds
from hsmtss_jax.inference.requests import Window
from hsmtss_jax.inference.runtime import SeparationRuntime
from hsmtss_jax.inference.stopwatch import Stopwatch
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.models.hsm_tss import Prediction, Query
from hsmtss_jax.models.semantics import Semantics
from hsmtss_jax.task import Task

CACHE_BYTES = 64 << 20  # mixture features kept from the survey to the separation
CANDIDATE_STEP = 1_000_003  # between the seeds of a window's candidates


class _Draw(NamedTuple):
    """One sound to be drawn: of window ``place`` in the batch, for a query, from a predicted row."""

    place: int
    query: int
    row: int
    candidate: int


class WindowGenerator:
    """Generates the sounds of windows of any recordings, for all their prompts, in batches."""

    def __init__(
        self,
        runtime: SeparationRuntime,
        options: SeparateOptions,
        instructions: Sequence[Instruction],
        stopwatch: Stopwatch,
        *,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        """Encode the instructions, whose places are the query indices.

        Args:
          runtime: the loaded system.
          options: how to separate.
          instructions: all that are asked for in this call.
          stopwatch: takes the time of each step.
          cache_bytes: mixture features kept between ``survey`` and ``generate``.
        """
        self._runtime, self._options, self._stopwatch = runtime, options, stopwatch
        self._instructions = list(instructions)
        self._policy = options.policy(runtime.pipeline.sampling)
        self._cache_bytes = cache_bytes
        self._cache: dict[tuple[int, int], Semantics] = {}
        with stopwatch.timed("semantics"):
            self._query = runtime.encode_text(self._instructions)

    def survey(self, windows: Sequence[Window]) -> list[dict[int, np.ndarray]]:
        """Predict every query of some windows, note the cosines, and keep the mixture's features.

        Returns the predicted global feature [1, C] by query of each window.
        """
        mixture = self._encode([window.audio for window in windows])
        self._keep(windows, mixture)
        found, rows = self._predict(windows, mixture, [w.state.predicted for w in windows])
        return [{query: found.g[row] for query, row in each.items()} for each in rows]

    def generate(self, windows: Sequence[Window]) -> list[list[WindowSounds]]:
        """Return the sounds of every window's prompts."""
        wanted = [w.state.generated if w.state.surveyed else w.state.predicted for w in windows]
        found, rows = self._predict(windows, self._mixture(windows), wanted)
        draws = [
            _Draw(place, query, rows[place][query], candidate)
            for place, window in enumerate(windows)
            for query in window.state.generated
            for candidate in range(self._options.best_of)
        ]
        sounds = self._draw(windows, draws, found)
        return [
            [
                WindowSounds(
                    sounds[place, prompt.target],
                    None if prompt.opposite is None else sounds[place, prompt.opposite],
                )
                for prompt in window.state.prompts
            ]
            for place, window in enumerate(windows)
        ]

    def forget(self, index: int) -> None:
        """Drop the kept features of a recording that will not be generated."""
        self._cache = {key: value for key, value in self._cache.items() if key[0] != index}

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
        self, windows: Sequence[Window], mixture: Semantics, queries: Sequence[Sequence[int]]
    ) -> tuple[Prediction, list[dict[int, int]]]:
        """Predict in rows; return them and query -> row of each window. Notes the cosines."""
        pairs = [(place, query) for place, wanted in enumerate(queries) for query in wanted]
        index = np.array([place for place, _ in pairs])
        mixture = jax.tree.map(lambda x: x[index], mixture)
        shared = [windows[place].state.shared.get(query) for place, query in pairs]
        g = None if shared[0] is None else np.stack([each for each in shared if each is not None])
        with self._stopwatch.timed("semantics"):
            query_rows = self._queries([query for _, query in pairs])
            found = self._runtime.predict(mixture, query_rows, g)
        rows: list[dict[int, int]] = [{} for _ in windows]
        for row, (place, query) in enumerate(pairs):
            rows[place][query] = row
            state = windows[place].state
            if not state.surveyed:
                cosines = float(found.target_cosine[row]), float(found.mixture_cosine[row])
                state.cosines.setdefault(query, []).append(cosines)
        return found, rows

    def _draw(
        self, windows: Sequence[Window], draws: Sequence[_Draw], found: Prediction
    ) -> dict[tuple[int, int], np.ndarray]:
        """Return the sound [W] by (window, query), the best of its candidates."""
        runtime, window = self._runtime, windows[0].state.plan.window
        rows = np.array([draw.row for draw in draws])
        tokens = self._sample(windows, draws, found.s[rows])
        samples = min(window, runtime.clip_samples(max(each.used for each in windows)))
        with self._stopwatch.timed("waveform"):
            gate = self._options.silence_gate
            audio = runtime.decode_tokens(tokens, samples, gate=gate)
        scores = np.zeros(len(draws))
        if self._options.best_of > 1:
            scores = self._similarity(audio, draws, found.g[rows])
        best: dict[tuple[int, int], int] = {}
        for row, draw in enumerate(draws):
            owner = draw.place, draw.query
            if owner not in best or scores[row] > scores[best[owner]]:
                best[owner] = row
        for (place, query), row in best.items():
            windows[place].state.tokens[query] = tokens[row]
        rest = window - samples
        return {owner: np.pad(audio[row], (0, rest)) for owner, row in best.items()}

    def _sample(
        self, windows: Sequence[Window], draws: Sequence[_Draw], s: np.ndarray
    ) -> np.ndarray:
        """Draw tokens [R, T, K] for S [R, P, C]; continued windows begin with the last one's."""
        runtime, plan = self._runtime, windows[0].state.plan
        seeds = [
            (self._options.seed + windows[d.place].index + CANDIDATE_STEP * d.candidate) % 2**32
            for d in draws
        ]
        lengths = [runtime.token_frames(windows[draw.place].used) for draw in draws]
        shared, hop = plan.overlap // runtime.frame, plan.hop // runtime.frame
        forced = np.zeros((len(draws), shared, runtime.groups), np.int32)
        forced_length = np.zeros(len(draws), np.int32)
        if self._options.windows == "continued":
            for row, draw in enumerate(draws):
                window = windows[draw.place]
                if window.index > 0:
                    forced[row] = window.state.tokens[draw.query][hop : hop + shared]
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

    def _similarity(self, audio: np.ndarray, draws: Sequence[_Draw], g: np.ndarray) -> np.ndarray:
        """Score each sound [R, L] by what its query asks for, [R]."""
        queries = [draw.query for draw in draws]
        by_text = [self._instructions[query].task == Task.EXTRACT for query in queries]
        with self._stopwatch.timed("semantics"):
            return self._runtime.similarity(audio, self._queries(queries), g, np.array(by_text))

    def _queries(self, indices: Sequence[int]) -> Query:
        rows = np.asarray(indices)
        return jax.tree.map(lambda x: x[rows], self._query)


def _row(semantics: Semantics, row: int) -> Semantics:
    return Semantics(s=semantics.s[row], g=semantics.g[row])
