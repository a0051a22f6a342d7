"""Panels that several stages show."""

import jax.numpy as jnp
import numpy as np

from hsmtss_jax.stages.panels import audio_panels, image_panels, patch_image


def test_a_sound_comes_with_its_spectrogram():
    tone = 0.5 * jnp.sin(2 * jnp.pi * 1000 * jnp.arange(8000) / 16_000)[None]
    panels = audio_panels({"original": tone})
    assert set(panels) == {"original_audio", "original_spectrogram"}
    sound, image = panels["original_audio"], panels["original_spectrogram"]
    assert (sound.kind, sound.value.shape, sound.sample_rate) == ("audio", (8000,), 16_000)
    assert image.kind == "image" and image.value.shape[0] == 257
    assert image.value.mean(axis=1).argmax() == 32  # 1000 Hz in bins of 31.25 Hz


def test_patches_become_an_image_with_low_frequencies_at_the_bottom():
    values = jnp.arange(6)  # three columns of two bands, the low one first
    np.testing.assert_array_equal(patch_image(values, 2), [[1, 3, 5], [0, 2, 4]])
    assert image_panels({"a": patch_image(values, 2)})["a"].value.shape == (2, 3)
