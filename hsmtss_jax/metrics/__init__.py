"""Numbers for reports, on numpy arrays: no gradients, no device."""

from hsmtss_jax.metrics.detection import auc, auc_with_interval
from hsmtss_jax.metrics.distribution import (
    SetDistance,
    frechet_audio_distance,
    frechet_audio_distance_at_infinity,
    kernel_audio_distance,
)
from hsmtss_jax.metrics.divergence import kl_sigmoid, kl_softmax
from hsmtss_jax.metrics.embedding import cosine_similarity
from hsmtss_jax.metrics.interval import Estimate, mean_with_interval, paired_difference
from hsmtss_jax.metrics.retrieval import best_ranks
from hsmtss_jax.metrics.spectral import lsd, lsd_active, mel_distance, mel_psnr
from hsmtss_jax.metrics.waveform import sdr, sdri, si_sdr, si_sdri

__all__ = [
    "Estimate",
    "SetDistance",
    "auc",
    "auc_with_interval",
    "best_ranks",
    "cosine_similarity",
    "frechet_audio_distance",
    "frechet_audio_distance_at_infinity",
    "kernel_audio_distance",
    "kl_sigmoid",
    "kl_softmax",
    "lsd",
    "lsd_active",
    "mean_with_interval",
    "mel_distance",
    "mel_psnr",
    "paired_difference",
    "sdr",
    "sdri",
    "si_sdr",
    "si_sdri",
]
