"""Sine-cosine codes: their values, and which half codes what."""

import numpy as np
import pytest

from hsmtss_jax.nn.positions import sincos_1d, sincos_2d


def test_values_follow_the_formula():
    code = sincos_1d(np.array([0.0, 1.5]), 4)
    assert code.shape == (2, 4) and code.dtype == np.float32
    np.testing.assert_allclose(code[0], [0, 0, 1, 1], atol=1e-7)
    np.testing.assert_allclose(
        code[1], [np.sin(1.5), np.sin(0.015), np.cos(1.5), np.cos(0.015)], rtol=1e-6
    )


def test_codes_of_equal_distances_are_equally_similar():
    code = sincos_1d(np.arange(20), 16)
    similarity = code @ code.T
    np.testing.assert_allclose(np.diag(similarity, 3), similarity[0, 3], rtol=1e-5)


def test_the_grid_codes_frequency_first_and_time_behind():
    code = sincos_2d(3, 2, 8).reshape(3, 2, 8)
    np.testing.assert_array_equal(code[0, :, :4], code[2, :, :4])  # same bands
    np.testing.assert_array_equal(code[:, 0, 4:], code[:, 1, 4:])  # same times
    np.testing.assert_array_equal(code[:, 0, 4:], sincos_1d(np.arange(3), 4))
    assert len(np.unique(code.reshape(6, 8), axis=0)) == 6


def test_widths_that_do_not_split_are_refused():
    with pytest.raises(ValueError, match="even width, got 7"):
        sincos_1d(np.arange(2), 7)
    with pytest.raises(ValueError, match="divisible by 4, got 6"):
        sincos_2d(2, 2, 6)
