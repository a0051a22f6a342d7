"""Panels that several stages show: sounds with their spectrograms, and maps of the patches.

Legend: L samples, P patches.
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from einops import rearrange

from hsmtss_jax.audio.stft import power, stft
from hsmtss_jax.train.stage import Panel


def audio_panels(signals: Mapping[str, jax.Array]) -> dict[str, Panel]:
    """Return each signal [1, L] at 16 kHz as its sound and its spectrogram [dB]."""
    panels = {}
    for name, signal in signals.items():
        level = 10.0 * jnp.log10(power(stft(signal, 512, 128)) + 1e-8)
        panels[f"{name}_spectrogram"] = Panel("image", np.asarray(level[0].T))
        panels[f"{name}_audio"] = Panel("audio", np.asarray(signal[0]))
    return panels


def image_panels(images: Mapping[str, jax.Array]) -> dict[str, Panel]:
    """Return images [freq, time] on the device as panels."""
    fetched = jax.device_get(dict(images))
    return {name: Panel("image", np.asarray(image)) for name, image in fetched.items()}


def patch_image(values: jax.Array, freq_patches: int) -> jax.Array:
    """Arrange one value a patch [P] as an image [freq, time], low frequencies at the bottom."""
    return rearrange(values, "(t f) -> f t", f=freq_patches)[::-1]
