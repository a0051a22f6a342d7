import json
import math

import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.losses.codec import log_spectral_distance
from hsmtss_jax.metrics import lsd, lsd_active, mel_distance, mel_psnr
from hsmtss_jax.metrics.spectral import LSD_N_FFT, frame_distance, magnitude, mel_image

LENGTH = 8000
METRICS = (mel_psnr, lsd, lsd_active)


def noise(seed: int, length: int = LENGTH) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 0.1, length).astype(np.float32)


@pytest.fixture
def half_silent() -> np.ndarray:
    """Sound, then digital silence; odd about its middle, so the mean is exactly zero."""
    x = noise(0, 2000)
    return np.concatenate([x, -x, np.zeros(8000, np.float32)])


def test_identical_clips():
    x = noise(0)
    assert mel_psnr(x, x) == math.inf
    assert max(lsd(x, x), lsd_active(x, x)) < 1e-9


@pytest.mark.parametrize("metric", METRICS)
def test_plain_floats_that_json_takes(metric):
    value = metric(noise(0), noise(1))
    assert isinstance(value, float) and json.loads(json.dumps(value)) == value


def test_psnr_of_a_known_gain():
    # A gain of 0.5 moves every unclipped mel pixel by 20 log10(0.5) / 100.
    x = noise(0)
    image = mel_image(x)
    assert image.min() > 0.1 and image.max() < 1.0
    shift = 20 * np.log10(0.5) / 100
    assert mel_psnr(0.5 * x, x) == pytest.approx(-10 * np.log10(shift**2), abs=1e-3)


def test_psnr_falls_with_the_noise_and_ignores_the_mean():
    x = noise(0)
    values = [mel_psnr(x + gain * noise(1), x) for gain in (0.1, 0.3, 1.0)]
    assert values == sorted(values, reverse=True)
    assert mel_psnr(x + 0.3 + 0.3 * noise(1), x) == pytest.approx(values[1], abs=1e-2)


def test_lsd_ignores_level_and_mean():
    x, y = noise(0), noise(1)
    assert lsd(0.1 * x + 0.2, 3.0 * y) == pytest.approx(lsd(x, y), rel=1e-3)
    assert lsd(-2.0 * x, x) < 1e-4


def test_a_frame_of_exact_silence_scores_twelve(half_silent):
    distance, energy = frame_distance(noise(1, len(half_silent)), half_silent, 0)
    assert (energy == 0).sum() == 75 - 28  # frames 0 to 27 reach the sound
    np.testing.assert_allclose(distance[energy == 0], 12.0, rtol=1e-6)
    assert distance[energy > 0][:20].max() < 3.0


def test_active_frames_leave_the_silence_out(half_silent):
    estimate = noise(1, len(half_silent))
    assert lsd(estimate, half_silent) > 6.0
    distance, energy = frame_distance(estimate, half_silent, 0)
    active = energy > 1e-6 * energy.max()
    assert lsd_active(estimate, half_silent) == pytest.approx(distance[active].mean(), rel=1e-6)
    assert lsd_active(estimate, half_silent) < 3.0
    assert lsd_active(estimate, noise(2, len(estimate))) == lsd(estimate, noise(2, len(estimate)))


def test_half_a_target_of_digital_silence_against_a_float64_reference():
    """What the mean leaves in silence is far below the floor: rounding must be, too."""
    rng = np.random.default_rng(3)
    target = np.concatenate([0.02 + rng.normal(0, 0.1, 8_000), np.zeros(8_000)]).astype("f")
    estimate = np.concatenate([target[:8_000] + noise(4), 1e-4 * noise(5)])

    def spectrum(x: np.ndarray) -> np.ndarray:
        x = x.astype(np.float64)
        x = x - x.mean()
        x = np.pad(x / np.abs(x).max(), LSD_N_FFT // 2)
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(LSD_N_FFT) / LSD_N_FFT)
        starts = range(0, len(x) - LSD_N_FFT + 1, 160)
        return np.abs([np.fft.rfft(x[i : i + LSD_N_FFT] * window) for i in starts])

    e, t = spectrum(estimate), spectrum(target)
    expected = np.sqrt((np.log10(t**2 / (e + 1e-12) ** 2 + 1e-12) ** 2).mean(axis=1))
    np.testing.assert_allclose(lsd(estimate, target), expected.mean(), rtol=1e-3)
    np.testing.assert_allclose(frame_distance(estimate, target).distance, expected, rtol=1e-2)


def test_the_training_loss_is_the_same_distance():
    """losses.codec in float32 under jax, on clips without digital silence."""
    x, y = np.stack([noise(0), noise(1)]), np.stack([noise(2), 0.3 * noise(0) + noise(3)])
    length = np.array([LENGTH, LENGTH - 160 * 7], np.int32)
    y[1, length[1] :] = x[1, length[1] :] = 0.0
    trained = log_spectral_distance(jnp.asarray(x), jnp.asarray(y), jnp.asarray(length))
    measured = [lsd(a[:n], b[:n]) for a, b, n in zip(x, y, length, strict=True)]
    np.testing.assert_allclose(trained, measured, rtol=2e-4)


@pytest.mark.parametrize("level", [0.0, 0.3])
def test_silence(level):
    x, silence = noise(0), np.full(LENGTH, level, np.float32)
    assert lsd(x, silence) == pytest.approx(12.0) == lsd(silence, silence)
    assert math.isnan(lsd_active(x, silence))
    assert math.isfinite(lsd(silence, x)) and lsd(silence, x) > 20.0
    assert mel_psnr(silence, silence) == math.inf
    assert 0.0 < mel_psnr(silence, x) < 10.0


def test_the_longer_clip_is_cut():
    # The PSNR cuts frames, the LSD samples, after the mean and the peak of the whole clip.
    x = np.concatenate([noise(0, 4001), -noise(0, 4001)])
    assert mel_psnr(x, x[:4001]) > 20.0 and mel_psnr(x[:4001], x) > 20.0
    assert lsd(x, x[:4001]) < 0.5 and lsd(x[:4001], x) < 0.5


def test_offset_undoes_a_lag():
    x = noise(0)
    late = np.concatenate([noise(1, 1120), x])
    assert lsd(late, x, offset=1120) < 1e-9
    assert lsd(late, x) > 0.5
    with pytest.raises(ValueError, match="offset"):
        lsd(x, x, offset=LENGTH)


@pytest.mark.parametrize("length", [1, 2, 159, 511, 743, 4099])
def test_any_length(length):
    x, y = noise(0, length), noise(1, length)
    assert mel_psnr(x, x) == math.inf and mel_psnr(x, y) > 0.0
    assert lsd(x, y) >= 0.0


@pytest.mark.parametrize("metric", METRICS)
def test_bad_input_is_an_error(metric):
    for bad in (np.zeros(0), np.float32(1)):
        with pytest.raises(ValueError, match="nothing to compare"):
            metric(bad, noise(0))
    with pytest.raises(ValueError, match="before the time axis"):
        metric(np.zeros((2, 100)), noise(0))


@pytest.mark.parametrize("metric", METRICS)
def test_leading_axes_are_kept(metric):
    x, y = np.stack([noise(0), noise(1)]), np.stack([noise(2), noise(3)])
    np.testing.assert_allclose(metric(x, y), [metric(x[i], y[i]) for i in range(2)], rtol=1e-5)


@pytest.mark.parity
def test_psnr_equals_librosa_and_scikit_image():
    librosa = pytest.importorskip("librosa")
    skimage = pytest.importorskip("skimage.metrics")

    def image(x: np.ndarray) -> np.ndarray:
        x = np.clip(x - x.mean(), -1.0, 1.0)
        magnitude = np.abs(librosa.stft(x, n_fft=512, hop_length=160, pad_mode="reflect"))
        bank = librosa.filters.mel(sr=16000, n_fft=512, n_mels=64, fmin=50, fmax=8000)
        decibels = 20 * np.log10(np.maximum(bank @ magnitude, 1e-5)) - 20
        return np.clip((decibels + 100) / 100, 0, 1)

    x, y = noise(0, 6007), 0.3 * noise(1, 6007) + noise(0, 6007)
    np.testing.assert_allclose(mel_image(x), image(x).T, atol=1e-5)
    expected = skimage.peak_signal_noise_ratio(image(y), image(x), data_range=1)
    assert mel_psnr(x, y) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parity
def test_lsd_equals_librosa():
    librosa = pytest.importorskip("librosa")

    def reference(x: np.ndarray) -> np.ndarray:
        return np.abs(librosa.stft(x, n_fft=LSD_N_FFT, hop_length=160, pad_mode="constant")).T

    def normal(x: np.ndarray) -> np.ndarray:
        x = x - x.mean()
        return x / np.abs(x).max()

    x, y = noise(0, 6007), noise(1, 6500)
    t, e = reference(normal(y)[:6007]), reference(normal(x))
    np.testing.assert_allclose(magnitude(normal(x), LSD_N_FFT, "constant"), e, atol=1e-4)
    expected = np.sqrt((np.log10(t**2 / (e + 1e-12) ** 2 + 1e-12) ** 2).mean(axis=1)).mean()
    assert lsd(x, y) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
def test_mel_distance_follows_its_definition():
    librosa = pytest.importorskip("librosa")
    rng = np.random.default_rng(0)
    x, y = (rng.normal(0, s, 6_000).astype(np.float32) for s in (0.1, 0.2))
    y[3_000:] = 0.0  # below the floor of the logarithm
    expected = 0.0
    for mels, n_fft in ((150, 2048), (80, 512)):
        a, b = (
            librosa.feature.melspectrogram(
                y=z,
                sr=16_000,
                n_fft=n_fft,
                hop_length=n_fft // 4,
                n_mels=mels,
                power=1.0,
                pad_mode="reflect",
            )
            for z in (x, y)
        )
        logs = [np.log10(np.maximum(mel, 1e-5) ** 2) for mel in (a, b)]
        expected += np.abs(logs[0] - logs[1]).mean() + np.abs(a - b).mean()
    np.testing.assert_allclose(mel_distance(x, y), expected, rtol=1e-4)


def test_mel_distance_of_equal_sounds_is_zero_and_batches():
    x = np.random.default_rng(0).normal(0, 0.1, (2, 4_000)).astype(np.float32)
    assert mel_distance(x[0], x[0]) == 0.0
    both = mel_distance(x, x[::-1])
    assert both.shape == (2,) and both[0] == pytest.approx(both[1], rel=1e-6) and both[0] > 0.1
