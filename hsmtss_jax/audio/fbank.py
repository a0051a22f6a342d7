"""AudioMAE's input: kaldi's log-mel filter bank, as torchaudio and kaldi-native-fbank compute it.

16 kHz, 25 ms frames every 10 ms (whole frames only), no dither, per-frame DC removal, pre-emphasis
0.97, symmetric Hann window, 512-point power spectrum, 128 kaldi mels from 20 Hz to 8 kHz, natural
log (AudioMAE dataset.py, facebookresearch). Filter 3 is empty by construction.

B batch, L samples, T frames.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.audio.constants import CLIP_SAMPLES, SAMPLE_RATE
from hsmtss_jax.audio.constants import FBANK_FRAME as FRAME
from hsmtss_jax.audio.constants import FBANK_HOP as HOP
from hsmtss_jax.audio.mel import mel_filterbank
from hsmtss_jax.audio.stft import frame_count, frames, hann, power

N_FFT = 512
PREEMPHASIS = 0.97
FLOOR = float(np.finfo(np.float32).eps)  # 1.1920929e-07: digital silence is log(FLOOR) = -15.942385


@dataclasses.dataclass(frozen=True, kw_only=True)
class FbankConfig:
    """Configure the encoder input: number of rows, and AudioSet's statistics (AudioMAE's constants)."""

    frames: int = 1024
    n_mels: int = 128
    mean: float = -4.2677393
    std: float = 4.5689974

    @property
    def window_samples(self) -> int:
        """Return the samples that the rows span, at most a clip: 10 s of the 10.24 s of 1024 rows."""
        return min(self.frames * HOP, CLIP_SAMPLES)


def real_frames(samples: int) -> int:
    """Return the number of frames of this many samples: 160000 -> 998, 40960 -> 254."""
    return frame_count(samples, FRAME, HOP, center=False)


def fbank(x: jax.Array, n_mels: int = 128) -> jax.Array:
    """Compute the log-mel filter bank of 16 kHz audio: [B, L] -> float32 [B, T, n_mels], T = real_frames(L).

    Raises:
      ValueError: x has another shape, or L is shorter than a frame (400 samples).
    """
    if np.ndim(x) != 2:
        raise ValueError(f"a filter bank is taken of audio [B, L], not of shape {np.shape(x)}")
    x = jnp.asarray(x, jnp.float32)
    x = x - jnp.mean(x, axis=1, keepdims=True)
    y = frames(x, FRAME, HOP)
    y = y - jnp.mean(y, axis=-1, keepdims=True)
    previous = jnp.concatenate([y[..., :1], y[..., :-1]], axis=-1)
    y = (y - PREEMPHASIS * previous) * hann(FRAME, periodic=False)[None, None, :]
    spectrum = power(jnp.fft.rfft(y, N_FFT, axis=-1))
    filters = mel_filterbank(n_mels, N_FFT, SAMPLE_RATE, 20.0, 8000.0, scale="kaldi")
    mel = jnp.einsum("btf,fm->btm", spectrum, filters, precision=jax.lax.Precision.HIGHEST)
    return jnp.log(jnp.maximum(mel, FLOOR))


def log_mel_input(x: jax.Array, config: FbankConfig) -> jax.Array:
    """Compute the encoder input of 16 kHz audio: [B, L] -> float32 [B, config.frames, config.n_mels].

    Rows missing at the end are 0.0 before normalisation, (F - mean) / (2 std), so +0.467032 after it;
    rows beyond config.frames are cut. Level is kept: there is no per-clip standardisation.
    """
    features = fbank(x, config.n_mels)[:, : config.frames]
    missing = config.frames - features.shape[1]
    features = jnp.pad(features, ((0, 0), (0, missing), (0, 0)))
    return (features - config.mean) / (2.0 * config.std)
