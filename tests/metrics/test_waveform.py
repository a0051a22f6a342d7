import numpy as np
import pytest

from hsmtss_jax.metrics import si_sdr


def test_known_ratio_whatever_the_level_and_the_mean():
    time = np.arange(1600) / 1600
    target, noise = np.sin(2 * np.pi * 10 * time), 0.1 * np.cos(2 * np.pi * 10 * time)
    assert si_sdr(target + noise, target) == pytest.approx(20.0)
    assert si_sdr(-3 * (target + noise) + 1, 0.5 * target - 2) == pytest.approx(20.0)


def test_limits():
    x = np.array([1.0, -1.0, 1.0, -1.0])
    assert si_sdr(2 * x, x) == np.inf
    assert np.isnan(si_sdr(x, np.zeros(4)))
    assert si_sdr(np.stack([x, x[::-1]]), np.stack([x, x])).shape == (2,)


def test_lengths_that_differ_are_an_error():
    with pytest.raises(ValueError, match="shapes differ"):
        si_sdr(np.ones(3), np.ones(4))
