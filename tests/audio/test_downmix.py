"""A downmix in which nothing cancels: every sound keeps its energy, however it is panned and wired."""

import numpy as np
import pytest

from hsmtss_jax.audio.downmix import downmix, phase_weights

RATE = 16_000
A, B = 0.1 * np.random.default_rng(0).normal(size=(2, 2 * RATE)).astype(np.float32)
LOW, HIGH = (
    np.sin(2 * np.pi * hz * np.arange(2 * RATE) / RATE).astype(np.float32) for hz in (400, 3000)
)


def mixed(*channels, size=5000):
    sound = np.stack(channels, axis=1)
    weights = phase_weights(sound.T @ sound)
    blocks = (sound[start : start + size] for start in range(0, len(sound), size))
    return np.concatenate(list(downmix(blocks, weights)))


def level_of(sound, part):
    """How much of a part is in a sound, as an amplitude."""
    return float(np.dot(sound, part) / np.dot(part, part))


def test_one_channel_is_itself():
    np.testing.assert_array_equal(mixed(A), A)


@pytest.mark.parametrize(
    ("gains", "level"),
    [
        ((1, 1), 1),
        ((1, -1), 1),
        ((0, 1), 0.5**0.5),
        ((1, 0.5), 0.625**0.5),
        ((1, -1, 0.5, 0, 1, -0.2, 1, 1), (5.29 / 8) ** 0.5),
    ],
)
def test_one_sound_keeps_its_energy_and_wave(gains, level):
    out = mixed(*(np.float32(gain) * A for gain in gains))
    np.testing.assert_allclose(np.sign(level_of(out, A)) * out, level * A, atol=1e-6)


def test_a_sound_that_is_in_the_difference_alone_is_heard():
    """The mean would be the low tone without any of the high one."""
    out = mixed(LOW + 0.5 * HIGH, LOW - 0.5 * HIGH)
    assert level_of(out, LOW) == pytest.approx(1, abs=0.01)
    assert abs(level_of(out, HIGH)) == pytest.approx(0.5, abs=0.01)


def test_order_and_polarity_of_channels_do_not_matter():
    out = mixed(A, 0.9 * A + B, 0.3 * B)
    for channels in (
        [0.3 * B, A, 0.9 * A + B],
        [0.9 * A + B, A, -0.3 * B],
        [-A, 0.9 * A + B, 0.3 * B],
    ):
        np.testing.assert_allclose(mixed(*channels), out, atol=1e-5)
    np.testing.assert_allclose(mixed(-A, -0.9 * A - B, -0.3 * B), -out, atol=1e-5)


@pytest.mark.parametrize("samples", [1, 255, 256, 257, 512, 513, 4000])
@pytest.mark.parametrize("size", [100, 5000])
def test_blocks_do_not_show(samples, size):
    out = mixed(A[:samples], B[:samples], size=size)
    assert out.shape == (samples,)
    np.testing.assert_allclose(out, mixed(A[:samples], B[:samples], size=samples), atol=1e-6)
