"""Reconstruction and rate losses of the neural codec (HSM-TSS section III-E, TF-Codec's reference project).

Errors are per example, [B]; the training loss is their mean. All in float32.

Legend: B batch, L samples, T frames, F bins, M mel bands, K groups, V codes.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.audio.mel import mel_filterbank
from hsmtss_jax.audio.stft import power, stft

_FLOOR = 1e-7


def power_compressed_error(
    estimate: jax.Array,
    target: jax.Array,
    *,
    n_fft: int = 320,
    hop: int = 160,
    exponent: float = 0.3,
) -> jax.Array:
    """Compute the squared error of the compressed STFT: estimate, target [B, L] -> [B].

    Half the weight is on magnitudes, half on complex values.

    Args:
      estimate: waveform [B, L].
      target: waveform [B, L].
      n_fft: STFT size [samples].
      hop: STFT hop [samples].
      exponent: of the magnitude compression.
    """

    def compressed(x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        spectrum = stft(x, n_fft, hop)
        magnitude = jnp.sqrt(power(spectrum) + _FLOOR)
        level = (magnitude + _FLOOR) ** exponent
        scale = level / (magnitude + _FLOOR)
        return level, spectrum.real * scale, spectrum.imag * scale

    level, real, imag = (
        jnp.mean((a - b) ** 2, axis=(1, 2))
        for a, b in zip(compressed(estimate), compressed(target), strict=True)
    )
    return 0.5 * level + 0.25 * (real + imag)


def mel_error(
    estimate: jax.Array,
    target: jax.Array,
    *,
    windows: Sequence[int] = (128, 256, 512, 1024, 2048),
    n_mels: int = 64,
    log_weight: float = 0.0,
    sample_rate: int = SAMPLE_RATE,
) -> jax.Array:
    """Compute the L1 distance of magnitude mel spectra, mean over windows: [B, L] x 2 -> [B].

    HTK mels from 20 Hz to the Nyquist frequency, hop = window / 4.

    Args:
      estimate: waveform [B, L].
      target: waveform [B, L].
      windows: STFT sizes [samples].
      n_mels: M.
      log_weight: weight of sqrt(window / 2) * (squared error of the log mels); 0 in the reference project.
      sample_rate: of the waveforms [Hz].
    """

    def distance(window: int) -> jax.Array:
        filters = mel_filterbank(n_mels, window, sample_rate, 20.0, sample_rate / 2, "htk")
        a, b = (
            jnp.sqrt(power(stft(x, window, window // 4)) + _FLOOR) @ filters
            for x in (estimate, target)
        )
        error = jnp.mean(jnp.abs(a - b), axis=(1, 2))
        if log_weight:
            logs = (jnp.log(a + _FLOOR) - jnp.log(b + _FLOOR)) ** 2
            error = error + log_weight * np.sqrt(window / 2.0) * jnp.mean(logs, axis=(1, 2))
        return error

    return jnp.mean(jnp.stack([distance(window) for window in windows]), axis=0)


def entropy_bits(probabilities: jax.Array) -> jax.Array:
    """Compute the entropy of probabilities [..., V] -> [...] [bit]."""
    return -jnp.sum(probabilities * jnp.log2(probabilities + 1e-10), axis=-1)


def code_counts(tokens: jax.Array, codes: int, mask: jax.Array | None = None) -> jax.Array:
    """Count the uses of each code: tokens int [B, T, K] -> float32 [K, V].

    mask: bool [B, T], frames that count; None: all.
    """
    weights = jnp.ones(tokens.shape[:2]) if mask is None else mask.astype(jnp.float32)
    group = jnp.broadcast_to(jnp.arange(tokens.shape[2])[None, None], tokens.shape)
    counts = jnp.zeros((tokens.shape[2], codes))
    return counts.at[group, tokens].add(jnp.broadcast_to(weights[..., None], tokens.shape))


def coded_bits(tokens: jax.Array, table: jax.Array, mask: jax.Array) -> jax.Array:
    """Compute the mean size of a token frame under an ideal entropy coder: int [B, T, K] -> [B] [bit].

    table: code probabilities [K, V]; a hundredth is spread evenly, so that an unseen code has a finite
    length. mask: bool [B, T], frames that count.
    """
    lengths = -jnp.log2(0.99 * table + 0.01 / table.shape[-1])
    group = jnp.broadcast_to(jnp.arange(tokens.shape[2])[None, None], tokens.shape)
    bits = jnp.sum(lengths[group, tokens], axis=-1)
    weights = mask.astype(jnp.float32)
    return jnp.sum(bits * weights, axis=1) / jnp.maximum(jnp.sum(weights, axis=1), 1.0)


def rate_loss(usage: jax.Array, target_bits: float) -> jax.Array:
    """Compute 0.01 |entropy - target_bits| of mean code probabilities [K, V], summed over groups."""
    return 0.01 * jnp.sum(jnp.abs(entropy_bits(usage) - target_bits))


def commitment_loss(latent: jax.Array, values: jax.Array) -> jax.Array:
    """Compute the mean squared distance of latents to their (fixed) codes, both [B, T, K, D]; scalar."""
    return jnp.mean((latent - jax.lax.stop_gradient(values)) ** 2)


def log_spectral_distance(
    estimate: jax.Array, target: jax.Array, length: jax.Array, *, n_fft: int = 743, hop: int = 160
) -> jax.Array:
    """Compute LSD in log10 power units over frames centred within ``length`` [B]: [B, L] x 2 -> [B].

    Both signals are first made zero-mean and divided by their peak, as in the ssr_eval project. A frame
    whose target is digital silence scores 12 for any estimate.

    Args:
      estimate: waveform [B, L].
      target: waveform [B, L].
      length: valid samples [B].
      n_fft: STFT size [samples].
      hop: STFT hop [samples].
    """

    def normalised_power(x: jax.Array) -> jax.Array:
        inside = (jnp.arange(x.shape[1])[None, :] < length[:, None]).astype(jnp.float32)
        count = jnp.maximum(length, 1).astype(jnp.float32)[:, None]
        x = (x - jnp.sum(x * inside, axis=1, keepdims=True) / count) * inside
        peak = jnp.max(jnp.abs(x), axis=1, keepdims=True)
        return power(stft(x / jnp.maximum(peak, 1e-8), n_fft, hop))

    # 1e-24 is the reference's floor of 1e-12 on the magnitude
    ratio = normalised_power(target) / (normalised_power(estimate) + 1e-24)
    distance = jnp.sqrt(jnp.mean(jnp.log10(ratio + 1e-12) ** 2, axis=2))
    frames = distance.shape[1]
    valid = (jnp.arange(frames)[None, :] * hop < length[:, None]).astype(jnp.float32)
    return jnp.sum(distance * valid, axis=1) / jnp.maximum(jnp.sum(valid, axis=1), 1.0)
