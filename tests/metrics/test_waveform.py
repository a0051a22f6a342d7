import numpy as np
import pytest

from hsmtss_jax.metrics import sdr, sdri, si_sdr, si_sdri

TARGET = np.array([1.0, -1.0, 1.0, -1.0])
OTHER = np.array([1.0, 1.0, -1.0, -1.0])  # orthogonal to the target, as loud


def test_sdr_by_hand():
    estimate = TARGET + np.array([0.1, 0.1, 0.1, 0.1])  # 4 / 0.04
    assert sdr(estimate, TARGET) == pytest.approx(20.0)
    assert sdr(0.5 * TARGET, TARGET) == pytest.approx(10 * np.log10(4 / 1))  # level counts
    assert sdr(-TARGET, TARGET) == pytest.approx(-10 * np.log10(4))  # and sign


def test_si_sdr_whatever_the_level_and_the_mean():
    time = np.arange(1600) / 1600
    target, noise = np.sin(2 * np.pi * 10 * time), 0.1 * np.cos(2 * np.pi * 10 * time)
    assert si_sdr(target + noise, target) == pytest.approx(20.0)
    assert si_sdr(-3 * (target + noise) + 1, 0.5 * target - 2) == pytest.approx(20.0)


def test_improvements_over_the_mixture_by_hand():
    mixture, estimate = TARGET + OTHER, TARGET + 0.1 * OTHER
    assert sdr(mixture, TARGET) == pytest.approx(0.0) == si_sdr(mixture, TARGET)
    assert sdri(estimate, mixture, TARGET) == pytest.approx(20.0)
    assert si_sdri(estimate, mixture, TARGET) == pytest.approx(20.0)
    assert sdri(0.5 * mixture, mixture, TARGET) == pytest.approx(10 * np.log10(2.0))
    assert si_sdri(0.5 * mixture, mixture, TARGET) == pytest.approx(0.0)
    assert sdri(mixture, mixture, TARGET) == 0.0


@pytest.mark.parametrize("metric", [sdr, si_sdr])
def test_edge_cases_are_defined(metric):
    silence = np.zeros(4)
    assert metric(TARGET, TARGET) == np.inf
    assert np.isnan(metric(TARGET, silence)) and np.isnan(metric(silence, silence))
    assert metric(silence, TARGET) == {sdr: 0.0, si_sdr: -np.inf}[metric]
    assert isinstance(metric(TARGET, silence), float)


def test_a_scaled_copy_and_a_constant_in_si_sdr():
    assert si_sdr(2 * TARGET, TARGET) == np.inf
    assert np.isnan(si_sdr(TARGET, np.full(4, 0.3)))  # without its mean it is silent
    assert si_sdr(np.full(4, 0.3), TARGET) == -np.inf


def test_improvements_at_the_edges():
    assert np.isnan(sdri(TARGET, TARGET, np.zeros(4)))
    assert np.isnan(sdri(TARGET, TARGET, TARGET))  # nothing to gain on a perfect copy
    assert si_sdri(TARGET, TARGET + OTHER, TARGET) == np.inf


@pytest.mark.parametrize("metric", [sdr, si_sdr])
def test_leading_axes_are_kept_and_lengths_must_agree(metric):
    both = np.stack([TARGET, TARGET[::-1] + 0.1])
    found = metric(both, np.stack([TARGET, TARGET]))
    assert found.shape == (2,) and found[0] == np.inf and found[1] == metric(both[1], TARGET)
    with pytest.raises(ValueError, match="shapes differ"):
        metric(np.ones(3), np.ones(4))
