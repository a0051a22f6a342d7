"""The mask decoder's network: grids, shapes, and what steers it."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.audio.mel import hz_to_mel
from hsmtss_jax.models.mask_decoder import (
    MaskDecoderConfig,
    Steering,
    apply_gains,
    decode_mask,
    frequency_weights,
    spectrum,
    time_weights,
)
from hsmtss_jax.testing.bundles import draw

CONFIG = MaskDecoderConfig(
    channels=(8, 16),
    blocks=1,
    layers=1,
    heads=2,
    patch=(2, 16),
    audio_width=12,
    time_patches=4,
    freq_patches=8,
    global_width=6,
)
SAMPLES = 4 * 2560


@pytest.fixture(scope="module")
def audio():
    return jnp.asarray(0.1 * np.random.default_rng(0).normal(size=(2, SAMPLES)), jnp.float32)


@pytest.fixture(scope="module")
def steering():
    rng = np.random.default_rng(1)

    def noise(*shape):
        return jnp.asarray(rng.normal(size=(2, *shape)), jnp.float32)

    s = (noise(32, 12), noise(32, 12))
    return Steering(*s, noise(1, 6), noise(1, 6), noise(6), jnp.asarray([0, 1]))


def weights(config, audio, steering):
    z = spectrum(config, audio)
    shapes = jax.eval_shape(config.make().init, jax.random.key(0), z, steering)
    return draw(shapes["params"], "mask")


@pytest.fixture(scope="module")
def params(audio, steering):
    return weights(CONFIG, audio, steering)


@pytest.fixture(scope="module")
def decode():
    return jax.jit(lambda params, audio, steering: decode_mask(CONFIG, params, audio, steering))


@pytest.mark.parametrize("samples", [SAMPLES, SAMPLES - 700])
def test_there_is_a_gain_for_every_frame_and_bin(params, steering, samples):
    audio = jnp.ones((2, samples))
    out = decode_mask(CONFIG, params, audio, steering)
    assert out.gains.shape == spectrum(CONFIG, audio).shape == (2, CONFIG.frames(samples), 513)
    assert out.presence.shape == (2,)
    assert out.gains.min() >= 0 and out.gains.max() <= 1


def test_rows_are_independent(params, audio, steering, decode):
    swapped = jax.tree.map(lambda x: x[::-1], steering)
    both, other = decode(params, audio, steering), decode(params, audio[::-1], swapped)
    np.testing.assert_allclose(both.gains, other.gains[::-1], atol=1e-5)
    np.testing.assert_allclose(both.presence, other.presence[::-1], atol=1e-4)


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Steering)])
def test_everything_that_steers_is_read(params, audio, steering, decode, name):
    value = getattr(steering, name)
    changed = dataclasses.replace(steering, **{name: 1 - value if name == "task" else value[::-1]})
    difference = decode(params, audio, steering).gains - decode(params, audio, changed).gains
    assert np.abs(difference).max() > 1e-3


@pytest.mark.parametrize(
    ("flag", "names"), [("use_local", ["s_hat"]), ("use_global", ["g_mix", "g_hat"])]
)
def test_ablations_do_not_read_what_they_leave_out(audio, steering, flag, names):
    config = dataclasses.replace(CONFIG, **{flag: False})
    params = weights(config, audio, steering)
    changed = dataclasses.replace(
        steering, **{name: getattr(steering, name)[::-1] for name in names}
    )
    outs = [decode_mask(config, params, audio, each).gains for each in (steering, changed)]
    np.testing.assert_array_equal(*outs)


def test_gains_of_one_give_the_sound_back(audio):
    gains = jnp.ones(spectrum(CONFIG, audio).shape)
    np.testing.assert_allclose(apply_gains(CONFIG, audio, gains), audio, atol=1e-5)


@pytest.mark.parametrize("level", [0, 1])
def test_time_weights_follow_the_columns_of_s(level):
    grid = time_weights(CONFIG, level, 20 >> level)
    np.testing.assert_allclose(grid.sum(axis=1), 1, atol=1e-6)
    columns = (np.arange(4) + 0.5) * 0.160  # [s] their centres
    frames = (np.arange(40) * CONFIG.hop / SAMPLE_RATE).reshape(20 >> level, -1)
    expected = np.clip(frames.mean(axis=1), columns[0], columns[-1])
    np.testing.assert_allclose(grid @ columns, expected, atol=1e-6)


def test_frequency_weights_find_the_row_whose_mel_bands_hold_a_bin():
    grid = frequency_weights(CONFIG, 0)
    np.testing.assert_allclose(grid.sum(axis=1), 1, atol=1e-6)
    bins = (np.arange(CONFIG.places) + 0.5) * CONFIG.patch[1] - 0.5
    low, high = hz_to_mel(20.0, "kaldi"), hz_to_mel(8000.0, "kaldi")
    mel = hz_to_mel(bins * SAMPLE_RATE / CONFIG.n_fft, "kaldi")
    row = np.clip(np.floor((mel - low) / (high - low) * 129 / 16), 0, 7)
    assert np.mean(np.abs(grid.argmax(axis=1) - row) <= 1) == 1.0
    assert np.mean(grid.argmax(axis=1) == row) > 0.8


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"patch": (2, 24)}, "cannot be put in groups"), ({"heads": 3}, "heads do not divide")],
)
def test_sizes_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(CONFIG, **changes).make()
