"""Codecs on held-out clips (HSM-TSS Table VIII): how close their resynthesis is, what the codes cost, and
how fast they are.

A bit rate has two figures. Raw: codes written as they are. Entropy: what an ideal coder with a fixed table
a group would need, from the code frequencies of the evaluated clips (a little low on few clips).

Legend: L samples, N token frames, K groups, V codes.
"""

import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.evaluation.pooling import ClipWindow
from hsmtss_jax.metrics import Estimate, lsd, lsd_active, mean_with_interval, mel_distance
from hsmtss_jax.metrics.tables import Cell, Column, Report, Row, Table
from hsmtss_jax.models.tf_codec.adapter import make_codec, raw_kbps

METRICS = ("mel_d", "lsd", "lsd_active", "visqol")
COLUMNS = (
    Column("mel_d", "MEL-D ↓", decimals=3),
    Column("lsd", "LSD ↓", decimals=3),
    Column("lsd_active", "LSD, active ↓", decimals=3),
    Column("visqol", "ViSQOL ↑", decimals=3),
    Column("raw_kbps", "raw kbps"),
    Column("entropy_kbps", "entropy kbps"),
    Column("parameters", "parameters (M)", scale=1e-6),
    Column("real_time_factor", "real-time factor ↑", decimals=1),
    Column("compile_seconds", "compile (s)", decimals=1),
)
Judge = Callable[[np.ndarray, np.ndarray], float]  # (estimate [L], reference [L]) at 16 kHz


class ClipCodec(Protocol):
    """Code 16 kHz clips in numpy, whatever the codec is written in.

    name; parameters; groups K, codes V, frame_rate (token frames a second).
    """

    name: str
    parameters: int
    groups: int
    codes: int
    frame_rate: float

    def prepare(self, samples: int) -> float:
        """Compile for clips of up to ``samples`` samples; return the seconds that it took."""

    def code(self, clip: np.ndarray) -> "Coded":
        """Encode and decode a clip [L]."""


class Coded(NamedTuple):
    """Hold tokens, int [N, K], and audio, the decoded clip [L]."""

    tokens: np.ndarray
    audio: np.ndarray


class BundleCodec:
    """Code clips with a codec of ours: jitted at one length, shorter clips filled up with zeros."""

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

    def code(self, clip: np.ndarray) -> Coded:
        full = np.pad(clip, (0, self._window - len(clip)))[None].astype(np.float32)
        tokens, audio = (np.asarray(x)[0] for x in self._run(self._variables, full))
        return Coded(tokens[: self._codec.token_frames(len(clip))], audio[: len(clip)])


@dataclasses.dataclass(frozen=True)
class CodecScores:
    """Store one row of the table. by_clip: metric -> a value a clip (NaN where undefined).

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
        """Return metric -> mean with its 95 % interval."""
        return {metric: mean_with_interval(values) for metric, values in self.by_clip.items()}

    @property
    def speed(self) -> float:
        """Return the seconds of sound coded and decoded in a second, the real-time factor."""
        return self.audio_seconds / self.seconds


def evaluate(
    codec: ClipCodec,
    clips: Iterable[ClipWindow],
    *,
    samples: int,
    judge: Judge | None = None,
) -> CodecScores:
    """Score a codec on clips of up to ``samples`` at 16 kHz; ``judge``: ViSQOL, where it is installed."""
    compile_seconds = codec.prepare(samples)
    counts = np.zeros((codec.groups, codec.codes), np.int64)
    by_clip: dict[str, list[float]] = {name: [] for name in METRICS if judge or name != "visqol"}
    frames = 0
    for window in clips:
        clip = window.audio[: window.samples]
        tokens, decoded = codec.code(clip)
        count_codes(counts, tokens)
        frames += len(tokens)
        for name, value in _distances(decoded, clip, judge).items():
            by_clip[name].append(value)
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
        audio_seconds=samples / SAMPLE_RATE,
    )


def _distances(decoded: np.ndarray, clip: np.ndarray, judge: Judge | None) -> dict[str, float]:
    values = {
        "mel_d": float(mel_distance(decoded, clip)),
        "lsd": float(lsd(decoded, clip)),
        "lsd_active": float(lsd_active(decoded, clip)),
    }
    return values | ({"visqol": judge(decoded, clip)} if judge else {})


def count_codes(counts: np.ndarray, tokens: np.ndarray) -> None:
    """Add tokens [N, K] to counts [K, V] in place."""
    np.add.at(counts, (np.arange(tokens.shape[1])[None, :], tokens), 1)


def entropy_bits(counts: np.ndarray) -> float:
    """Compute the bits of a token frame: the groups' empirical entropies [K, V], summed."""
    share = counts / counts.sum(axis=1, keepdims=True)
    return float(-np.sum(share * np.log2(np.where(share > 0, share, 1.0))))


def _seconds(codec: ClipCodec, samples: int, repeats: int = 3) -> float:
    """Return the median seconds of coding and decoding a clip of noise."""
    noise = np.random.default_rng(0).normal(0.0, 0.1, samples).astype(np.float32)
    codec.code(noise)
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        codec.code(noise)
        times.append(time.perf_counter() - begun)
    return float(np.median(times))


def report(
    rows: Sequence[CodecScores],
    clips: Sequence[str],
    about: Mapping[str, Any],
    notes: Sequence[str] = (),
) -> Report:
    """Build the report: a row a codec. clips: their names, in the order of the rows' values."""
    by_clip = {
        row.name: [
            {"clip": clip, **{name: values[i] for name, values in row.by_clip.items()}}
            for i, clip in enumerate(clips)
        ]
        for row in rows
    }
    lines = [Row(row.name, _cells(row)) for row in rows]
    return Report([Table(COLUMNS, lines)], about, by_clip, notes)


def _cells(row: CodecScores) -> dict[str, Cell]:
    return {
        **row.estimates,
        "raw_kbps": row.raw_kbps,
        "entropy_kbps": row.entropy_kbps,
        "parameters": row.parameters,
        "real_time_factor": row.speed,
        "compile_seconds": row.compile_seconds or None,
    }
