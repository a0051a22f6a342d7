"""Samples and rates come in many types."""

import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.inference.arrays import as_rate, as_samples

X = np.random.default_rng(0).normal(size=(2000, 2)).astype(np.float32)


@pytest.mark.parametrize("make", [np.asarray, np.float64, jnp.asarray, list, lambda x: x.tolist()])
def test_kinds_of_arrays(make):
    for x in (X, X.T):
        np.testing.assert_allclose(as_samples(make(x)), X, rtol=1e-6)
    np.testing.assert_allclose(as_samples(make(X[:, 0])), X[:, :1], rtol=1e-6)
    assert as_samples(make(X[:3])).shape == (3, 2)  # not clear which axis: [L, C]


@pytest.mark.parametrize("dtype", [jnp.bfloat16, np.float16])
def test_narrow_floats(dtype):
    np.testing.assert_allclose(as_samples(jnp.asarray(X, dtype)), X, rtol=0.01)


def test_torch_tensors():
    torch = pytest.importorskip("torch")
    tensor = torch.tensor(X.T, requires_grad=True)
    np.testing.assert_array_equal(as_samples(tensor), X)


@pytest.mark.parametrize(
    ("audio", "reason"),
    [
        (np.zeros((0, 2)), "shape"),
        (np.zeros((2, 2, 2)), "shape"),
        (np.zeros(100, np.int16), "scale them"),
        ([[0.0, 1.0], [0.0]], "must be an array"),
        (None, "shape"),
        (object(), "shape"),
    ],
)
def test_no_samples(audio, reason):
    with pytest.raises(ValueError, match=reason):
        as_samples(audio)


@pytest.mark.parametrize(
    "rate", [16000, 16000.0, np.int64(16000), np.float32(16000), jnp.int32(16000)]
)
def test_rates(rate):
    assert as_rate(rate) == 16000 and type(as_rate(rate)) is int


@pytest.mark.parametrize(
    ("rate", "reason"),
    [
        (None, "give the sample_rate"),
        ("16000", "whole number of Hz, got '16000'"),
        (16000.5, "whole number"),
        (float("nan"), "whole number"),
        (float("inf"), "whole number"),
        (0, "positive"),
        (-8000, "positive"),
        ([16000], "whole number"),
    ],
)
def test_no_rates(rate, reason):
    with pytest.raises(ValueError, match=reason):
        as_rate(rate)
