"""Rooms, band limits and levels of whole mixtures."""

import numpy as np
import pytest

from hsmtss_jax.config import DataConfig
from hsmtss_jax.data import channel
from hsmtss_jax.data.active_level import active_rms
from hsmtss_jax.data.channel import Channel

L = 16000
RNG = np.random.default_rng(0)
TARGET, OTHER = (RNG.normal(0, 0.1, (2, L))).astype(np.float32)


def share_above(x: np.ndarray, hertz: float) -> float:
    power = np.abs(np.fft.rfft(x)) ** 2
    return float(power[int(hertz * L / 16000) :].sum() / power.sum())


@pytest.mark.parametrize(
    "chosen",
    [
        Channel(),
        Channel(room_seed=3),
        Channel(band=(300.0, 3400.0)),
        Channel(band=(0.0, 3000.0)),
        Channel(level=-30.0),
        Channel(5, (100.0, 4000.0), -50.0),
    ],
)
def test_parts_still_sum_to_the_mixture(chosen):
    mixture, target, other = channel.apply(chosen, TARGET, OTHER)
    assert mixture.dtype == target.dtype == np.float32 and mixture.shape == (L,)
    np.testing.assert_allclose(mixture, target + other, atol=1.6e-5)
    assert max(np.abs(x).max() for x in (mixture, target, other)) <= 1.0
    np.testing.assert_array_equal(
        np.stack(channel.apply(chosen, TARGET, OTHER)), np.stack([mixture, target, other])
    )


def test_a_telephone_has_no_treble():
    mixture, target, _ = channel.apply(Channel(band=channel.TELEPHONE_HZ), TARGET, OTHER)
    assert share_above(mixture, 4500) < 0.01 and share_above(target, 4500) < 0.01
    assert share_above(mixture, 300) > 0.98


@pytest.mark.parametrize("decibels", [-60.0, -25.0])
def test_levels_are_set_and_rounded_to_16_bits(decibels):
    mixture, _, _ = channel.apply(Channel(level=decibels), TARGET, OTHER)
    assert 20 * np.log10(active_rms(mixture)) == pytest.approx(decibels, abs=0.2)
    np.testing.assert_array_equal(mixture, np.round(mixture * 32768) / 32768)


def test_full_scale_is_not_passed():
    mixture, _, _ = channel.apply(Channel(level=0.0), TARGET, OTHER)
    assert 0.99 <= np.abs(mixture).max() <= 1.0


def test_silence_stays_silence():
    mixture, _, _ = channel.apply(Channel(1, (300.0, 3400.0), -20.0), 0 * TARGET, 0 * OTHER)
    assert not mixture.any()


def test_what_is_off_draws_nothing():
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    assert channel.draw(DataConfig(), rng) == Channel() and rng.bit_generator.state == before
    config = DataConfig(room_probability=0.5, band_probability=0.5, level_db=(-45.0, -5.0))
    drawn = [channel.draw(config, np.random.default_rng(i)) for i in range(60)]
    assert 15 < sum(c.room_seed >= 0 for c in drawn) < 45
    bands = {c.band for c in drawn}
    assert channel.TELEPHONE_HZ in bands and len(bands) > 10
    assert all(-45 <= c.level <= -5 for c in drawn)
