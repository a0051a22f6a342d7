import numpy as np
import pytest

from hsmtss_jax.audio.level import SILENCE_DB, mix_at_snr, peak, rms, rms_db, snr

RNG = np.random.default_rng(0)
A = (0.1 * RNG.standard_normal(4000)).astype(np.float32)
B = (0.03 * RNG.standard_normal(4000)).astype(np.float32)


def test_levels():
    sine = np.sin(2 * np.pi * np.arange(1600) / 16)
    assert rms_db(sine) == pytest.approx(-3.0103, abs=1e-3)
    assert rms(0.5 * np.ones(7, np.float32)) == peak(0.5 * np.ones(7)) == 0.5
    assert rms_db(np.zeros(9)) == rms_db(np.zeros(0)) == SILENCE_DB
    assert peak(np.zeros(0)) == 0


@pytest.mark.parametrize("snr_db", [-15.0, -3.2, 0.0, 15.0])
def test_mix_has_the_snr_and_adds_up(snr_db):
    mixed = mix_at_snr(A, B, snr_db)
    assert snr(mixed.target, mixed.other) == pytest.approx(snr_db, abs=1e-4)
    np.testing.assert_allclose(mixed.mixture, mixed.target + mixed.other, atol=1e-7)
    assert mixed.mixture.dtype == np.float32 and peak(mixed.mixture) <= 1


def test_loud_mixtures_are_turned_down_together():
    mixed = mix_at_snr(8 * A, 8 * B, 0.0)
    assert max(peak(x) for x in (mixed.mixture, mixed.target, mixed.other)) == pytest.approx(0.9)
    assert snr(mixed.target, mixed.other) == pytest.approx(0.0, abs=1e-4)
    np.testing.assert_allclose(mixed.mixture, mixed.target + mixed.other, atol=1e-6)


def test_raw_mode_is_plain_saturating_addition():
    mixed = mix_at_snr(8 * A, 8 * B, 3.0, mode="raw")
    np.testing.assert_array_equal(mixed.target, 8 * A)
    np.testing.assert_array_equal(mixed.mixture, np.clip(8 * A + 8 * B, -1, 1))


def test_silence_is_left_alone_and_none_keeps_the_ratio():
    mixed = mix_at_snr(A, np.zeros_like(A), 5.0)
    np.testing.assert_array_equal(mixed.mixture, A)
    mixed = mix_at_snr(np.zeros_like(A), B, 5.0)
    np.testing.assert_array_equal(mixed.mixture, B)
    np.testing.assert_array_equal(mix_at_snr(A, B, None).other, B)


def test_errors():
    with pytest.raises(ValueError, match="unequal"):
        mix_at_snr(A, B[:-1], 0.0)
    with pytest.raises(ValueError, match="mix mode"):
        mix_at_snr(A, B, 0.0, mode="other")
