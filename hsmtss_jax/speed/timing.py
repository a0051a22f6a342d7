"""Time jitted functions: compilation apart, medians of steady calls, rates as a share of a limit.

Machines are noisy: compare numbers of one run only.
"""

import dataclasses
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from hsmtss_jax.metrics.tables import Cell, Column, Row, Table

WARM_UP = 1
SECONDS = Column("seconds", "time (s)", significant=4)
COMPILE = Column("compile_seconds", "compile (s)", decimals=1)
COLUMNS = (
    SECONDS,
    COMPILE,
    Column("examples_per_second", "examples/s", significant=3),
    Column("flop_per_second", "GFLOP/s", decimals=0, scale=1e-9),
    Column("share", "share of matrix product (%)", decimals=0, scale=100),
)


@dataclasses.dataclass(frozen=True)
class Timing:
    """Store times [s]: the median of steady calls, and of compilation (0 for PyTorch)."""

    seconds: float
    compile_seconds: float = 0.0


@dataclasses.dataclass(frozen=True)
class Measured:
    """Store one row of a table.

    examples, flop: per call, flop counted as 2 x multiply-adds (0: not given). limit: FLOP/s of a large
    matrix product in the same run, in the same dtype.
    """

    name: str
    timing: Timing
    examples: int
    flop: float = 0.0
    limit: float = 0.0

    @property
    def examples_per_second(self) -> float:
        return self.examples / self.timing.seconds

    @property
    def flop_per_second(self) -> float:
        return self.flop / self.timing.seconds

    @property
    def share(self) -> float:
        """Return the share of the limit, 0 where there is none."""
        return self.flop_per_second / self.limit if self.limit else 0.0


def steady(call: Callable[[], Any], repeats: int) -> float:
    """Return the median time of ``call`` [s], which must wait for its own result, after one warm-up call."""
    return in_turn([call], repeats)[0]


def in_turn(calls: Sequence[Callable[[], Any]], repeats: int) -> list[float]:
    """Return the median time of each of ``calls`` [s], each of which must wait for its own result.

    Interleaved, so drift affects all equally; one warm-up call each.
    """
    seconds: list[list[float]] = [[] for _ in calls]
    for turn in range(WARM_UP + repeats):
        for call, mine in zip(calls, seconds, strict=True):
            begun = time.perf_counter()
            call()
            if turn >= WARM_UP:
                mine.append(time.perf_counter() - begun)
    return [statistics.median(mine) for mine in seconds]


@dataclasses.dataclass(frozen=True)
class Compiled:
    """Hold a compiled function with its arguments; calling it waits for the result."""

    call: Callable[[], Any]
    compile_seconds: float

    def __call__(self) -> Any:
        return jax.block_until_ready(self.call())


def compiled(function: Callable[..., Any], *args: Any) -> Compiled:
    """Compile a pure function of arrays for its arguments."""
    begun = time.perf_counter()
    program = jax.jit(function).lower(*args).compile()
    return Compiled(lambda: program(*args), time.perf_counter() - begun)


def time_step(
    step: Any, state: Any, *args: Any, repeats: int, before: tuple[Any, ...] = ()
) -> Timing:
    """Time a jitted ``step(*before, state, *args) -> (state, ...)`` that donates its state."""
    begun = time.perf_counter()
    compiled = step.lower(*before, state, *args).compile()
    compile_seconds = time.perf_counter() - begun
    states = [state]

    def call() -> None:
        out = jax.block_until_ready(compiled(*before, states.pop(), *args))
        states.append(out[0])

    return Timing(steady(call, repeats), compile_seconds)


class LargeProduct:
    """Multiply large square matrices: the upper bound of dense layers."""

    def __init__(self, dtype: Any, size: int | None = None) -> None:
        n = size or (2048 if jax.default_backend() == "cpu" else 8192)
        a = jax.random.normal(jax.random.key(0), (n, n), dtype)
        self.flop = 2.0 * n**3
        self._program = compiled(jnp.matmul, a, a)

    def __call__(self) -> None:
        self._program()


def table(rows: Sequence[Measured]) -> Table:
    """Return the table of a benchmark; the share is of the matrix product's rate in the same run."""
    return Table(COLUMNS, [Row(row.name, _cells(row)) for row in rows])


def _cells(row: Measured) -> dict[str, Cell]:
    return {
        "seconds": row.timing.seconds,
        "compile_seconds": row.timing.compile_seconds or None,
        "examples_per_second": row.examples_per_second,
        "flop_per_second": row.flop_per_second if row.flop else None,
        "share": row.share if row.limit else None,
    }
