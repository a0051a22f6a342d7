"""Codec losses: known values, and what they must not depend on."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.losses.codec import (
    code_counts,
    coded_bits,
    entropy_bits,
    log_spectral_distance,
    mel_error,
    power_compressed_error,
    rate_loss,
)

power_compressed = jax.jit(power_compressed_error)
mel = jax.jit(mel_error, static_argnames="log_weight")
spectral_distance = jax.jit(log_spectral_distance)


@pytest.fixture(scope="module")
def noise() -> jax.Array:
    return jax.random.normal(jax.random.key(0), (2, 4_000)) * 0.1


def test_entropy_of_known_distributions():
    uniform = jnp.full((8,), 1 / 8)
    certain = jnp.eye(8)[0]
    pair = jnp.asarray([0.5, 0.5] + [0.0] * 6)
    np.testing.assert_allclose(
        entropy_bits(jnp.stack([uniform, certain, pair])), [3.0, 0.0, 1.0], atol=1e-5
    )


def test_code_counts_of_the_frames_that_count():
    tokens = jnp.asarray([[[0, 2], [1, 2]], [[0, 0], [3, 3]]])
    mask = jnp.asarray([[True, True], [True, False]])
    np.testing.assert_array_equal(code_counts(tokens, 4, mask), [[2, 1, 0, 0], [1, 0, 2, 0]])
    assert float(code_counts(tokens, 4).sum()) == 8.0


def test_coded_bits_are_the_code_lengths_of_the_table():
    table = jnp.asarray([[0.5, 0.25, 0.25, 0.0], [1.0, 0.0, 0.0, 0.0]])
    tokens = jnp.asarray([[[0, 0], [1, 0]], [[0, 0], [3, 3]]])
    first, second = coded_bits(tokens, table, jnp.ones((2, 2), bool))
    np.testing.assert_allclose(first, 1.5, atol=0.05)  # (1 + 2) / 2, and nothing for the sure group
    assert 8.0 < float(second) < 10.0  # two codes never met cost log2(400) bits each
    masked = coded_bits(tokens, table, jnp.asarray([[True, False], [True, False]]))
    np.testing.assert_allclose(masked, [1.0, 1.0], atol=0.05)


def test_rate_loss_sums_the_groups_on_both_sides_of_the_target():
    usage = jnp.stack([jnp.full((8,), 1 / 8), jnp.eye(8)[0]])
    np.testing.assert_allclose(rate_loss(usage, 2.0), 0.01 * (1.0 + 2.0), atol=1e-6)


def test_rate_loss_pulls_a_low_entropy_up():
    logits = jnp.asarray([[3.0, 0.0, 0.0, 0.0]])
    loss = jax.jit(jax.value_and_grad(lambda z: rate_loss(jax.nn.softmax(z), 2.0)))
    value, slope = loss(logits)
    assert loss(logits - 10.0 * slope)[0] < value


def test_errors_of_a_signal_with_itself_are_zero(noise):
    assert float(jnp.max(power_compressed(noise, noise))) == 0.0
    assert float(jnp.max(mel(noise, noise, log_weight=0.05))) == 0.0


def test_power_compressed_error_sees_a_phase_flip_in_its_complex_half_only(noise):
    flipped = power_compressed(-noise, noise)
    silent = power_compressed(jnp.zeros_like(noise), noise)
    # |2c|^2 against |c|^2 + |c|^2: 0.25 * 4 against 0.5 + 0.25 (the silent floor is 1e-7 ** 0.3)
    np.testing.assert_allclose(flipped / silent, 4 / 3, rtol=0.25)


def test_errors_have_finite_gradients_at_silence(noise):
    def total(x):
        return jnp.sum(power_compressed_error(x, noise) + mel_error(x, noise))

    assert np.isfinite(jax.jit(jax.grad(total))(jnp.zeros_like(noise))).all()


def test_log_spectral_distance_ignores_level_offset_and_padding(noise):
    length = jnp.asarray([4_000, 3_000])
    inside = (jnp.arange(4_000)[None, :] < length[:, None]).astype(jnp.float32)
    clean = noise * inside
    same = spectral_distance(0.25 * clean + 0.1 * inside, clean, length)
    np.testing.assert_allclose(same, 0.0, atol=1e-2)
    loud_padding = clean + (1.0 - inside)
    np.testing.assert_allclose(spectral_distance(loud_padding, clean, length), 0.0, atol=1e-2)


def test_log_spectral_distance_of_a_silent_target_is_twelve(noise):
    length = jnp.asarray([4_000, 4_000])
    got = spectral_distance(noise, jnp.zeros_like(noise), length)
    np.testing.assert_allclose(got, 12.0, atol=1e-3)
