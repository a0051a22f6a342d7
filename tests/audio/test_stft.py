import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.audio.stft import (
    frame_count,
    frames,
    hann,
    istft,
    magnitude,
    overlap_add,
    stft,
)

RNG = np.random.default_rng(0)
SIZES = [(320, 80), (320, 160), (400, 160), (512, 160), (128, 32)]


@pytest.mark.parametrize(("length", "hop"), [(400, 160), (320, 80), (7, 3), (3, 5)])
def test_frames_equal_a_plain_loop(length, hop):
    x = RNG.standard_normal((2, 2000)).astype(np.float32)
    got = np.asarray(frames(jnp.asarray(x), length, hop))
    assert got.shape == (2, frame_count(2000, length, hop, center=False), length)
    for t in range(got.shape[1]):
        np.testing.assert_array_equal(got[:, t], x[:, t * hop : t * hop + length])


@pytest.mark.parametrize(("length", "hop"), [(400, 160), (320, 80), (3, 5)])
def test_overlap_add_is_the_transpose_of_frames(length, hop):
    x = RNG.standard_normal((1, 1600)).astype(np.float32)
    cut, transpose = jax.vjp(lambda a: frames(a, length, hop), jnp.asarray(x))
    y = jnp.asarray(RNG.standard_normal(cut.shape).astype(np.float32))
    added = np.asarray(overlap_add(y, hop))
    np.testing.assert_allclose(added, transpose(y)[0][:, : added.shape[1]], atol=1e-5)


@pytest.mark.parametrize("pad_mode", ["constant", "reflect"])
def test_stft_equals_numpy(pad_mode):
    x = RNG.standard_normal((2, 1000)).astype(np.float32)
    padded = np.pad(x, ((0, 0), (160, 160)), mode=pad_mode)
    want = np.stack(
        [np.fft.rfft(padded[:, t * 80 : t * 80 + 320] * hann(320)) for t in range(13)], axis=1
    )
    got = stft(x, 320, 80, hann(320), True, pad_mode)
    assert got.dtype == jnp.complex64
    np.testing.assert_allclose(got, want, atol=1e-4)


@pytest.mark.parametrize(("n_fft", "hop"), SIZES)
def test_round_trip(n_fft, hop):
    x = RNG.standard_normal((2, 3201)).astype(np.float32)
    z = stft(x, n_fft, hop)
    covered = (z.shape[1] - 1) * hop  # the last partial hop of a signal belongs to no whole frame
    back = istft(z, n_fft, hop, length=x.shape[1])
    assert back.shape == x.shape
    np.testing.assert_allclose(back[:, :covered], x[:, :covered], atol=2e-5)


def test_constant_normalisation_is_the_codec_s():
    """TF-Codec divides by 1.5 everywhere: equal inside, lower in the first and last hop."""
    x = RNG.standard_normal((1, 1600)).astype(np.float32)
    z = stft(x, 320, 80)
    constant = np.asarray(istft(z, 320, 80, normalize="constant"))
    np.testing.assert_allclose(constant[:, 80:-80], x[:, 80:-80], atol=2e-5)
    assert np.abs(constant[:, :80] - x[:, :80]).max() > 1e-3
    with pytest.raises(ValueError, match="constant"):
        istft(z, 320, 200, normalize="constant")


def test_power_compression_round_trip_reaches_50_db():
    """x -> |z|^0.3 phase -> inverse -> x on 0.1-rms white noise (the floors limit it)."""
    x = (0.1 * RNG.standard_normal((1, 16000))).astype(np.float32)
    z = stft(x, 320, 80)
    phase = z / jnp.maximum(jnp.abs(z), 1e-7)
    out = jnp.abs(z) ** 0.3 * phase
    amplitude = magnitude(out, 1e-7)
    back = istft(amplitude ** (1 / 0.3) * out / (amplitude + 1e-7), 320, 80, length=16000)
    error = np.asarray(back) - x
    assert 10 * np.log10((x**2).sum() / (error**2).sum()) > 45


@pytest.mark.parametrize("eps", [0.0, 1e-7])
def test_gradient_at_silence_is_finite(eps):
    x = jnp.zeros((1, 800))
    gradient = jax.jit(jax.grad(lambda a: magnitude(stft(a, 320, 80), eps).sum()))(x)
    assert np.isfinite(gradient).all()
    z = stft(RNG.standard_normal((1, 800)).astype(np.float32), 320, 80)
    np.testing.assert_allclose(magnitude(z), np.abs(z), rtol=1e-6)


def test_short_window_is_centred_and_errors_say_what_to_do():
    x = RNG.standard_normal((1, 900)).astype(np.float32)
    padded = np.pad(hann(200), (60, 60))
    np.testing.assert_allclose(stft(x, 320, 80, hann(200)), stft(x, 320, 80, padded), atol=1e-6)
    with pytest.raises(ValueError, match="longer than n_fft"):
        stft(x, 100, 50, hann(200))
    with pytest.raises(ValueError, match="no frame"):
        stft(x[:, :100], 320, 80, center=False)
    with pytest.raises(ValueError, match="reflected"):
        stft(x[:, :100], 320, 80, pad_mode="reflect")
    with pytest.raises(ValueError, match="normalize"):
        istft(stft(x, 320, 80), 320, 80, normalize="none")
