"""Time the whole system on recordings of several lengths, and each of its steps."""

import dataclasses
import resource
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hsmtss_jax.inference import SeparateOptions, SeparationReport, Separator
from hsmtss_jax.metrics.tables import Cell, Column, Row, Table

RATE = 44_100
TOKEN_RATE = 50  # token frames a second
STEPS = {
    "read": ("read",),
    "semantics": ("semantics",),
    "tokens": ("tokens",),
    "waveform": ("waveform",),
    "mask": ("mask", "render"),
}
SPEED = (
    Column("seconds", "time (s)"),
    Column("real_time_factor", "real-time factor", decimals=3),
    Column("first", "first audio (s)"),
    Column("frames_per_second", "token frames/s", decimals=0),
    Column("compile_seconds", "compile (s)", decimals=1),
    Column("peak", "peak memory (GiB)", scale=2**-30),
)


@dataclasses.dataclass(frozen=True)
class TimedCall:
    """Store one call. total, first: until the end, and until the first finished block of audio [s]."""

    report: SeparationReport
    total: float
    first: float


@dataclasses.dataclass(frozen=True)
class SeparationTiming:
    """Store the calls for one recording. cold: the first, with compilation; warm: the median one.

    seconds: of the recording [s]. frames: generated token frames. peak: memory of the process so far [byte].
    """

    seconds: float
    cold: TimedCall
    warm: TimedCall
    frames: int
    peak: int

    @property
    def compile_seconds(self) -> float:
        return max(0.0, self.cold.total - self.warm.total)

    @property
    def real_time_factor(self) -> float:
        """Return the processing time per second of audio."""
        return self.warm.total / self.seconds

    @property
    def frames_per_second(self) -> float | None:
        """Return the rate of token frames; None where nothing is generated."""
        spent = self.warm.report.timing.get("tokens")
        return None if spent is None else self.frames / max(spent, 1e-9)

    @property
    def shares(self) -> dict[str, float]:
        """Return the share of each step in the warm call."""
        timing = self.warm.report.timing
        spent = {
            name: sum(timing.get(key, 0.0) for key in keys) / timing["total"]
            for name, keys in STEPS.items()
        }
        return spent | {"other": max(0.0, 1.0 - sum(spent.values()))}


def benchmark(
    separator: Separator, seconds: Sequence[float], *, repeats: int, options: dict[str, Any]
) -> list[SeparationTiming]:
    """Time one recording per length, stereo noise at 44.1 kHz. options: fields of ``SeparateOptions``."""
    return [_row(separator, length, repeats, options) for length in seconds]


def _row(
    separator: Separator, seconds: float, repeats: int, options: dict[str, Any]
) -> SeparationTiming:
    noise = np.random.default_rng(0).normal(size=(round(seconds * RATE), 2))
    audio = (0.1 * noise).astype(np.float32)
    cold = _run(separator, audio, options)
    runs = sorted(
        (_run(separator, audio, options) for _ in range(repeats)), key=lambda run: run.total
    )
    frames = runs[0].report.windows * (
        1 + round(TOKEN_RATE * separator.window / separator.sample_rate)
    )
    if options.get("mode") == "generate" and options.get("residual", True):
        frames *= 2
    frames *= options.get("best_of", 1)
    peak = peak_memory(separator.device)
    return SeparationTiming(seconds, cold, runs[len(runs) // 2], frames, peak)


def _run(separator: Separator, audio: np.ndarray, options: dict[str, Any]) -> TimedCall:
    begun = time.perf_counter()
    marks: list[float] = []
    note: Callable[[int, int], None] = lambda done, total: marks.append(time.perf_counter())  # noqa: E731
    report = separator.separate(
        audio,
        "extract the dog",
        sample_rate=RATE,
        options=SeparateOptions(**options),
        progress=note,
    )
    return TimedCall(report, time.perf_counter() - begun, marks[0] - begun)


def peak_memory(device: Any) -> int:
    """Return the peak memory so far: of an accelerator, or of the process on CPU [byte]."""
    stats = device.memory_stats() or {}
    if "peak_bytes_in_use" in stats:
        return int(stats["peak_bytes_in_use"])
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def tables(rows: Sequence[SeparationTiming]) -> tuple[Table, Table]:
    """Return two tables with a row a recording: speed, and the share of each step."""
    corner = "recording (s)"
    steps = [Column(name, f"{name} (%)", decimals=0, scale=100) for name in (*STEPS, "other")]
    speed = [Row(f"{row.seconds:g}", _cells(row)) for row in rows]
    shares = [Row(f"{row.seconds:g}", row.shares) for row in rows]
    return Table(SPEED, speed, corner=corner), Table(steps, shares, corner=corner)


def _cells(row: SeparationTiming) -> dict[str, Cell]:
    return {
        "seconds": row.warm.total,
        "real_time_factor": row.real_time_factor,
        "first": row.warm.first,
        "frames_per_second": row.frames_per_second,
        "compile_seconds": row.compile_seconds,
        "peak": row.peak,
    }
