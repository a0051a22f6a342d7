"""Cnn14 as a judge: the front end of PANNs at 16 kHz, and audioldm_eval's preparation of a sound.

Legend: n sounds, L samples, T frames, M mel bands.
"""

import functools
from typing import Any

import jax
import numpy as np

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.audio.mel import mel_filterbank
from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.conversion import from_dict
from hsmtss_jax.metrics.spectral import MEL_N_FFT, magnitude
from hsmtss_jax.models.judges.cnn14 import Cnn14Config
from hsmtss_jax.models.judges.judgement import Judgement
from hsmtss_jax.nn.apply import apply
from hsmtss_jax.sampling.buckets import apply_in_batches

SHORTEST = 2 * SAMPLE_RATE  # samples; shorter sounds are padded, as audioldm_eval does
_FRAMES = 256  # inputs are padded to a multiple of it, so that few programs are compiled


class Cnn14Judge:
    """Judge with a bundle of ``hsmtss import panns``. Raises ValueError for a bundle of another stage."""

    name = "Cnn14"
    classes: tuple[str, ...] = ()

    def __init__(self, bundle: Bundle, batch: int = 4) -> None:
        """Put the weights on the default device. batch: sounds at a time."""
        if bundle.stage != "cnn14":
            raise ValueError(
                f"{bundle.path} is a bundle of {bundle.stage}, no judge: make one with hsmtss import panns"
            )
        self.digest = bundle.digest
        self._config = from_dict(Cnn14Config, bundle.config["model"])
        self._variables = jax.device_put(bundle.params)
        self._batch = batch

    def __call__(self, audio: np.ndarray) -> Judgement:
        """Tag sounds [n, L]."""
        log_mel = log_mel_spectrogram(audio, self._config.n_mels)
        frames = np.full(len(audio), log_mel.shape[1], np.int32)
        padded = np.pad(log_mel, ((0, 0), (0, -log_mel.shape[1] % _FRAMES), (0, 0)))
        tag = functools.partial(self._tag, self._variables)
        return apply_in_batches(tag, padded, frames, limit=self._batch)

    @functools.partial(jax.jit, static_argnums=0)
    def _tag(self, variables: Any, log_mel: Any, frames: Any) -> Judgement:
        return apply(self._config.make(), variables, log_mel, frames, out=Judgement)


def log_mel_spectrogram(audio: np.ndarray, n_mels: int = 64) -> np.ndarray:
    """Compute PANNs' log-mel power spectrogram [dB] of sounds without their mean: [n, L] -> [n, T, M].

    Frames of 512 every 160, mirrored at the ends, Slaney mels of 50-8000 Hz; at least 2 s.
    """
    x = np.asarray(audio, np.float64)
    x = x - x.mean(axis=-1, keepdims=True)
    x = np.pad(x, ((0, 0), (0, max(0, SHORTEST - x.shape[1]))))
    filters = mel_filterbank(n_mels, MEL_N_FFT, SAMPLE_RATE, 50.0, 8000.0, "slaney", "slaney")
    mel = magnitude(x, MEL_N_FFT, "reflect") ** 2 @ filters
    return (10.0 * np.log10(np.maximum(mel, 1e-10))).astype(np.float32)
