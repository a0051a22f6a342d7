"""Codecs on held-out clips (HSM-TSS Table VIII): how close their resynthesis is, what the codes cost, and
how fast they are.

A bit rate has two figures. Raw: codes written as they are. Entropy: what an ideal coder with a fixed table
a group would need, from the code frequencies of the evaluated clips (a little low on few clips).

Legend: L samples, N token frames, K groups, V codes.
"""

import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import jax
import numpy as np

from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.evaluation.pooling import Window
from hsmtss_jax.metrics import Estimate, lsd, lsd_active, mean_with_interval, mel_distance
from hsmtss_jax.models.tf_codec.adapter import make_codec, raw_kbps

METRICS = {
    "mel_d": "MEL-D ↓",
    "lsd": "LSD ↓",
    "lsd_active": "LSD, active ↓",
    "visqol": "ViSQOL ↑",
}
_REPEATS = 3  # timed calls, the median counts
Judge = Callable[[np.ndarray, np.ndarray], float]  # (estimate [L], reference [L]) at 16 kHz
Progress = Callable[[int], None]  # clips done


class ClipCodec(Protocol):
    """A codec that takes 16 kHz clips in numpy, whatever it is written in.

    name; parameters; groups K, codes V, frame_rate (token frames a second).
    """

    name: str
    parameters: int
    groups: int
    codes: int
    frame_rate: float

    def prepare(self, samples: int) -> float:
        """Gets ready for clips of up to this many samples; returns the seconds that compiling took."""

    def code(self, clip: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Clip [L] -> (tokens int [N, K], decoded clip [L])."""


class BundleCodec:
    """A codec of ours: jitted at one length, shorter clips filled up with zeros."""

    def __init__(self, name: str, bundle: Bundle) -> None:
        self.name = name
        self._codec = make_codec(bundle.stage, bundle.config)
        self.groups, self.codes = self._codec.groups, self._codec.codes
        self.frame_rate = self._codec.sample_rate / self._codec.frame_samples
        trained = bundle.params.get("params", bundle.params)
        self.parameters = sum(leaf.size for leaf in jax.tree.leaves(trained))
        self._variables = jax.device_put(bundle.params)
        self._window = 0
        self._run: Callable[..., Any]

    def prepare(self, samples: int) -> float:
        begun = time.perf_counter()
        self._window = samples

        def run(variables: Any, audio: jax.Array) -> tuple[jax.Array, jax.Array]:
            tokens = self._codec.encode(variables, audio)
            return tokens, self._codec.decode(variables, tokens, samples)

        audio = jax.ShapeDtypeStruct((1, samples), np.float32)
        self._run = jax.jit(run).lower(self._variables, audio).compile()
        return time.perf_counter() - begun

    def code(self, clip: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        full = np.pad(clip, (0, self._window - len(clip)))[None].astype(np.float32)
        tokens, audio = (np.asarray(x)[0] for x in self._run(self._variables, full))
        return tokens[: self._codec.token_frames(len(clip))], audio[: len(clip)]


@dataclasses.dataclass(frozen=True)
class CodecScores:
    """One row of the table. by_clip: metric -> a value a clip (NaN where undefined).

    seconds: of encoding and decoding ``audio_seconds`` of sound, one clip at a time.
    """

    name: str
    by_clip: dict[str, list[float]]
    raw_kbps: float
    entropy_kbps: float
    parameters: int
    seconds: float
    compile_seconds: float
    audio_seconds: float

    @property
    def estimates(self) -> dict[str, Estimate]:
        """metric -> mean with its 95 % interval."""
        return {metric: mean_with_interval(values) for metric, values in self.by_clip.items()}

    @property
    def speed(self) -> float:
        """Seconds of sound coded and decoded in a second, the real-time factor."""
        return self.audio_seconds / self.seconds


def evaluate(
    codec: ClipCodec,
    clips: Iterable[Window],
    *,
    samples: int,
    judge: Judge | None = None,
    progress: Progress | None = None,
) -> CodecScores:
    """Scores of a codec on clips of up to ``samples`` at 16 kHz; ``judge``: ViSQOL, where it is at hand."""
    compile_seconds = codec.prepare(samples)
    counts = np.zeros((codec.groups, codec.codes), np.int64)
    by_clip: dict[str, list[float]] = {name: [] for name in METRICS if judge or name != "visqol"}
    frames = 0
    for done, window in enumerate(clips, start=1):
        clip = window.audio[: window.samples]
        tokens, decoded = codec.code(clip)
        count_codes(counts, tokens)
        frames += len(tokens)
        for name, value in _distances(decoded, clip, judge).items():
            by_clip[name].append(value)
        if progress:
            progress(done)
    if not frames:
        raise ValueError("there is no clip to code")
    return CodecScores(
        name=codec.name,
        by_clip=by_clip,
        raw_kbps=raw_kbps(codec.groups, codec.codes, codec.frame_rate),
        entropy_kbps=entropy_bits(counts) * codec.frame_rate / 1000.0,
        parameters=codec.parameters,
        seconds=_seconds(codec, samples),
        compile_seconds=compile_seconds,
        audio_seconds=samples / 16_000,
    )


def _distances(decoded: np.ndarray, clip: np.ndarray, judge: Judge | None) -> dict[str, float]:
    values = {
        "mel_d": float(mel_distance(decoded, clip)),
        "lsd": float(lsd(decoded, clip)),
        "lsd_active": float(lsd_active(decoded, clip)),
    }
    return values | ({"visqol": judge(decoded, clip)} if judge else {})


def count_codes(counts: np.ndarray, tokens: np.ndarray) -> None:
    """Adds tokens [N, K] to counts [K, V] in place."""
    np.add.at(counts, (np.arange(tokens.shape[1])[None, :], tokens), 1)


def entropy_bits(counts: np.ndarray) -> float:
    """Bits of a token frame: the groups' empirical entropies [K, V], summed."""
    share = counts / counts.sum(axis=1, keepdims=True)
    return float(-np.sum(share * np.log2(np.where(share > 0, share, 1.0))))


def _seconds(codec: ClipCodec, samples: int) -> float:
    noise = np.random.default_rng(0).normal(0.0, 0.1, samples).astype(np.float32)
    codec.code(noise)
    times = []
    for _ in range(_REPEATS):
        begun = time.perf_counter()
        codec.code(noise)
        times.append(time.perf_counter() - begun)
    return float(np.median(times))


def to_markdown(rows: Sequence[CodecScores], notes: Sequence[str] = ()) -> str:
    """A row a codec; then a line for each note."""
    names = [name for name in METRICS if any(name in row.by_clip for row in rows)]
    head = [METRICS[name] for name in names]
    head += ["raw kbps", "entropy kbps", "parameters (M)", "real-time factor ↑", "compile (s)"]
    lines = ["| | " + " | ".join(head) + " |", "|---" * (len(head) + 1) + "|"]
    for row in rows:
        estimates = row.estimates
        cells = [_cell(estimates[name]) for name in names]
        cells += [f"{row.raw_kbps:.2f}", f"{row.entropy_kbps:.2f}", f"{row.parameters / 1e6:.2f}"]
        cells += [f"{row.speed:.1f}", f"{row.compile_seconds:.1f}" if row.compile_seconds else "-"]
        lines.append(f"| {row.name} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, *(f"\n{note}" for note in notes)]) + "\n"


def _cell(estimate: Estimate) -> str:
    skipped = f" ({estimate.skipped} skipped)" if estimate.skipped else ""
    return f"{estimate.mean:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]{skipped}"


def to_json(
    rows: Sequence[CodecScores],
    clips: Sequence[str],
    about: Mapping[str, Any],
    notes: Sequence[str],
) -> dict[str, Any]:
    """Everything, as plain JSON; clips: their names, in the order of the rows' values."""
    summary = {
        row.name: {
            "metrics": {name: dataclasses.asdict(value) for name, value in row.estimates.items()},
            "raw_kbps": row.raw_kbps,
            "entropy_kbps": row.entropy_kbps,
            "parameters": row.parameters,
            "seconds": row.seconds,
            "compile_seconds": row.compile_seconds,
            "real_time_factor": row.speed,
        }
        for row in rows
    }
    by_clip = {
        row.name: [
            {"clip": clip, **{name: values[i] for name, values in row.by_clip.items()}}
            for i, clip in enumerate(clips)
        ]
        for row in rows
    }
    return {"about": dict(about), "notes": list(notes), "summary": summary, "rows": by_clip}
