"""What is measured of an estimate: a scorer brings columns, and a number a sound for each.

A pair's sounds are scored in one call, so that a judge hears the target once and works in batches.

Legend: n sounds, L samples of the pair.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.audio.io import resample
from hsmtss_jax.evaluation.judges.judge import Judge
from hsmtss_jax.evaluation.pairs import Pair
from hsmtss_jax.metrics import (
    cosine_similarity,
    kl_sigmoid,
    kl_softmax,
    lsd,
    mel_psnr,
    sdr,
    sdri,
    si_sdr,
    si_sdri,
)
from hsmtss_jax.metrics.spectral import frame_distance
from hsmtss_jax.metrics.tables import Column

VOCODER_LAG = 1120  # samples that audioldm_eval drops from the estimate's start


@dataclasses.dataclass(frozen=True)
class SoundScore:
    """Store what a scorer says of one sound. values: column -> number, NaN where it is undefined.

    embedding: for distances between sets of sounds; None from scorers without.
    """

    values: Mapping[str, float]
    embedding: np.ndarray | None = None


class Scorer(Protocol):
    """Score estimates of a pair's target."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """Return the columns of a table that it fills."""

    @property
    def name(self) -> str:
        """Return what its embeddings are called in a heading."""

    def __call__(self, sounds: Sequence[np.ndarray], pair: Pair) -> list[SoundScore]:
        """Score n sounds [L]."""


class SignalMetrics:
    """Compute mel-PSNR, LSD, SDR, SI-SDR and their improvements over the mixture.

    SDR is computed at the pair's rate, and so counts all its bands; mel-PSNR and LSD are defined at 16 kHz.
    """

    name = "signal"
    columns = (
        Column("mel_psnr", "mel-PSNR (dB) ↑"),
        Column("lsd", "LSD ↓"),
        Column("lsd_1120", "LSD, offset 1120 ↓"),
        Column("lsd_active", "LSD, active ↓"),
        Column("sdr", "SDR (dB) ↑"),
        Column("sdri", "SDRi (dB) ↑"),
        Column("si_sdr", "SI-SDR (dB) ↑"),
        Column("si_sdri", "SI-SDRi (dB) ↑"),
    )

    def __call__(self, sounds: Sequence[np.ndarray], pair: Pair) -> list[SoundScore]:
        """Score n sounds [L]."""
        return [SoundScore(score_estimate(sound, pair)) for sound in sounds]


def score_estimate(estimate: np.ndarray, pair: Pair) -> dict[str, float]:
    """Compare an estimate [L] with the pair's target, sample by sample and by spectrum: metric -> number."""
    mixture, target = pair.mixture, pair.target
    (heard,), reference = _heard([estimate], pair, SAMPLE_RATE)
    frames = frame_distance(heard, reference.target)
    long_enough = len(reference.target) > VOCODER_LAG
    values = {
        "mel_psnr": mel_psnr(heard, reference.target),
        "lsd": frames.mean(),
        "lsd_1120": lsd(heard, reference.target, VOCODER_LAG) if long_enough else math.nan,
        "lsd_active": frames.active_mean(),
        "sdr": sdr(estimate, target),
        "sdri": sdri(estimate, mixture, target),
        "si_sdr": si_sdr(estimate, target),
        "si_sdri": si_sdri(estimate, mixture, target),
    }
    return {name: float(value) for name, value in values.items()}


class Divergence:
    """Compute KL of what a judge hears in target and estimate, by softmax (the paper's) and sigmoid."""

    def __init__(self, judge: Judge) -> None:
        self.name, self._judge, self._key = judge.name, judge, judge.name.lower()
        self.columns = (
            Column(f"kl_{self._key}", f"KL ({judge.name}) ↓"),
            Column(f"kl_sigmoid_{self._key}", f"KL, sigmoid ({judge.name}) ↓"),
        )

    def __call__(self, sounds: Sequence[np.ndarray], pair: Pair) -> list[SoundScore]:
        """Score n sounds [L]."""
        sounds, pair = _heard(sounds, pair, SAMPLE_RATE)
        heard = self._judge(np.stack([pair.target, *sounds]))
        logits, embedding = np.asarray(heard.logits), np.asarray(heard.embedding)
        reference = np.repeat(logits[:1], len(sounds), axis=0)
        divergences = (divergence(logits[1:], reference) for divergence in (kl_softmax, kl_sigmoid))
        return [
            SoundScore(dict(zip(self._keys, map(float, row), strict=True)), vector)
            for *row, vector in zip(*divergences, embedding[1:], strict=True)
        ]

    @property
    def _keys(self) -> tuple[str, ...]:
        return tuple(column.key for column in self.columns)


class Embedding(Protocol):
    """Embed sounds, as CLAP or an audio language model does."""

    @property
    def name(self) -> str:
        """Return the model's name."""

    def embed_audio(self, audio: np.ndarray) -> np.ndarray:
        """Embed sounds [n, L] -> [n, D]."""


class TextEmbedding(Embedding, Protocol):
    """Embed sounds and descriptions in one space."""

    def embed_text(self, texts: Sequence[str]) -> np.ndarray:
        """Embed n descriptions -> [n, D]."""


class Likeness:
    """Compute the cosine of estimate and target: AFSim of an audio language model, CLAP-A of CLAP."""

    def __init__(self, model: Embedding, metric: str) -> None:
        """Name the number ``metric`` ("AFSim", "CLAP-A")."""
        self.name, self._model = model.name, model
        self._key = f"{metric.lower().replace('-', '_')}_{model.name}"
        self.columns: tuple[Column, ...] = (Column(self._key, f"{metric} ({model.name}) ↑", 3),)

    def __call__(self, sounds: Sequence[np.ndarray], pair: Pair) -> list[SoundScore]:
        """Score n sounds [L]."""
        sounds, pair = _heard(sounds, pair, SAMPLE_RATE)
        target, *rows = self._model.embed_audio(np.stack([pair.target, *sounds]))
        values = cosine_similarity(np.stack(rows), target[None])
        return [
            SoundScore({self._key: float(value)}, row)
            for value, row in zip(values, rows, strict=True)
        ]


class ClapScore(Likeness):
    """Compute the CLAP score, estimate to description of the target, and CLAP-A beside it.

    Where the target is what is left when another sound is removed, it is still the target's description.
    """

    def __init__(self, model: TextEmbedding) -> None:
        super().__init__(model, "CLAP-A")
        self._text = model
        self._score = f"clap_{model.name}"
        self.columns = (Column(self._score, f"CLAP ({model.name}) ↑", 3), *self.columns)

    def __call__(self, sounds: Sequence[np.ndarray], pair: Pair) -> list[SoundScore]:
        """Score n sounds [L]; the score is NaN for a target without description."""
        found = super().__call__(sounds, pair)
        text = self._text.embed_text([pair.caption])[0] if pair.caption else None
        return [
            dataclasses.replace(each, values={**each.values, self._score: _cosine(each, text)})
            for each in found
        ]


class LogWMSE:
    """Compute logWMSE of log-wmse-audio-quality: defined where the target is silent, as SDR is not.

    High is good: about 74 for an error that cannot be heard. Raises ValueError when it is not installed.
    """

    name = "logWMSE"
    columns = (Column("log_wmse", "logWMSE ↑"),)

    def __init__(self, sample_rate: int) -> None:
        try:
            from log_wmse_audio_quality import calculate_log_wmse
        except ImportError as error:
            raise ValueError(
                "logWMSE needs log-wmse-audio-quality: pip install 'hsmtss-jax[eval]'"
            ) from error
        self._measure, self._rate = calculate_log_wmse, sample_rate

    def __call__(self, sounds: Sequence[np.ndarray], pair: Pair) -> list[SoundScore]:
        """Score n sounds [L]."""
        sounds, pair = _heard(sounds, pair, self._rate)
        mixture, target, *rest = (
            np.asarray(x, np.float32) for x in (pair.mixture, pair.target, *sounds)
        )
        return [
            SoundScore({"log_wmse": float(self._measure(mixture, sound, target, self._rate))})
            for sound in rest
        ]


def _heard(
    sounds: Sequence[np.ndarray], pair: Pair, sample_rate: int
) -> tuple[list[np.ndarray], Pair]:
    """Return sounds [L] and their pair at another rate."""
    return [resample(x, pair.sample_rate, sample_rate) for x in sounds], pair.at(sample_rate)


def _cosine(score: SoundScore, text: np.ndarray | None) -> float:
    if text is None or score.embedding is None:
        return math.nan
    return float(cosine_similarity(score.embedding, text))
