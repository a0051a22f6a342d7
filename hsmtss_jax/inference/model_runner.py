"""The system on any number of rows: at most ``batch`` at a time, padded into buckets.

Legend: n windows, W samples of a window, P patches, C widths, T token frames, K groups, R rows.
"""

import dataclasses
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np

from hsmtss_jax.inference.buckets import batches, padded, row_bucket
from hsmtss_jax.inference.runtime import Prediction, System
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.models.hsm_tss import Query
from hsmtss_jax.models.semantics import Semantics
from hsmtss_jax.sampling.policies import Policy


@dataclasses.dataclass(frozen=True)
class Row:
    """One sound to be generated. lane: whose; s: S_hat [P, C]; g: G_hat [1, C].

    forced: tokens [F, K] of which the first ``given`` begin the sound.
    """

    lane: int
    s: np.ndarray
    g: np.ndarray
    seed: int
    forced: np.ndarray
    given: int


class ModelRunner:
    """Runs a system. Lane i is instructions[i]. seconds: what each step has taken since ``started``."""

    def __init__(self, system: System, instructions: Sequence[Instruction], batch: int) -> None:
        self.system, self.batch = system, batch
        self.started = time.perf_counter()
        self.instructions = list(instructions)
        self.seconds: dict[str, float] = defaultdict(float)
        with self.timed("listen"):
            parts = [self._encode(part) for part in batches(self.instructions, batch)]
            self._query = jax.tree.map(lambda *x: np.concatenate(x), *parts)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Adds the time of its body to a step."""
        started = time.perf_counter()
        yield
        self.seconds[step] += time.perf_counter() - started

    def listen(self, audio: np.ndarray) -> Semantics:
        """Semantics of windows [n, W], in numpy."""
        with self.timed("listen"):
            return self._run(self.system.listen, audio)

    def predict(
        self, mixture: Semantics, lanes: Sequence[int], shared: np.ndarray | None = None
    ) -> Prediction:
        """What the separators make of each row of a mixture for its lane, in numpy."""
        with self.timed("listen"):
            trees: tuple[Any, ...] = (mixture, self._rows(lanes))
            return self._run(self.system.predict, *trees, *(() if shared is None else (shared,)))

    def sample(self, rows: Sequence[Row], policy: Policy, frames: int) -> np.ndarray:
        """Tokens [R, T, K], T = frames."""
        trees = (
            np.stack([row.s for row in rows]),
            np.array([row.seed for row in rows], np.uint32),
            np.stack([row.forced for row in rows]),
            np.array([row.given for row in rows], np.int32),
        )

        def draw(s: Any, seeds: Any, forced: Any, given: Any) -> Any:
            lengths = np.full(len(s), frames, np.int32)
            return self.system.sample(s, seeds, policy, forced, given, lengths)

        with self.timed("tokens"):
            return self._run(draw, *trees)[:, :frames]

    def decode(self, tokens: np.ndarray, samples: int) -> np.ndarray:
        """Sound [R, samples] of tokens [R, T, K]."""
        with self.timed("waveform"):
            return self._run(lambda part: self.system.decode(part, samples), tokens)

    def judge(self, audio: np.ndarray, rows: Sequence[Row]) -> np.ndarray:
        """How near Q-Audio finds each sound [R, W] to what its row wanted, [R]."""
        lanes = [row.lane for row in rows]
        extract = np.array([self.instructions[lane].task == "extract" for lane in lanes])
        with self.timed("listen"):
            g = np.stack([row.g for row in rows])
            return self._run(self.system.judge, audio, self._rows(lanes), g, extract)

    def _rows(self, lanes: Sequence[int]) -> Query:
        index = np.asarray(lanes)
        return jax.tree.map(lambda x: x[index], self._query)

    def _encode(self, part: Sequence[Instruction]) -> Query:
        size = row_bucket(len(part), self.batch)
        full = [*part, *[part[-1]] * (size - len(part))]
        query = self.system.queries([x.task for x in full], [x.description for x in full])
        return jax.tree.map(lambda x: np.asarray(x)[: len(part)], query)

    def _run(self, function: Callable[..., Any], *trees: Any) -> Any:
        """A function of trees of arrays [R, ...], in batches."""
        rows = len(jax.tree.leaves(trees)[0])
        parts = []
        for part in batches(range(rows), self.batch):
            here = jax.tree.map(lambda x, part=part: x[part[0] : part[-1] + 1], trees)
            out = function(*padded(here, row_bucket(len(part), self.batch)))
            parts.append(jax.tree.map(lambda x, part=part: np.asarray(x)[: len(part)], out))
        return jax.tree.map(lambda *x: np.concatenate(x), *parts)
