"""Convolutions: against their definitions, and causal."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.nn.conv import TCMLayer, causal_conv, causal_deconv, depthwise_conv, latest
from hsmtss_jax.testing.jitted import Jitted

GEOMETRIES = [(1, 2, 9), (2, 1, 11), (4, 2, 13)]  # stride, padding or cropping, bins


def _arrays(bins: int, outputs: int = 4) -> tuple[jax.Array, jax.Array]:
    keys = jax.random.split(jax.random.key(0))
    x = jax.random.normal(keys[0], (2, 5, bins, 3))
    return x, jax.random.normal(keys[1], (2, 5, 3, outputs))


def _conv_by_definition(x: jax.Array, kernel: jax.Array, stride: int, padding: int) -> jax.Array:
    x = jnp.pad(x, ((0, 0), (1, 0), (padding, padding), (0, 0)))
    frames, coarse = x.shape[1] - 1, (x.shape[2] - 5) // stride + 1
    return sum(
        jnp.einsum(
            "btfi,io->btfo",
            x[:, h : h + frames, w : w + (coarse - 1) * stride + 1 : stride],
            kernel[h, w],
        )
        for h in range(2)
        for w in range(5)
    )


def _deconv_by_definition(x: jax.Array, kernel: jax.Array, stride: int, crop: int) -> jax.Array:
    batch, frames, coarse, _ = x.shape
    out = jnp.zeros((batch, frames + 1, (coarse - 1) * stride + 5, kernel.shape[3]))
    for h in range(2):
        for w in range(5):
            part = jnp.einsum("btgi,io->btgo", x, kernel[h, w])
            bins = slice(w, w + (coarse - 1) * stride + 1, stride)
            out = out.at[:, h : h + frames, bins].add(part)
    return out[:, :frames, crop : out.shape[2] - crop]


@pytest.mark.parametrize(("stride", "padding", "bins"), GEOMETRIES)
def test_conv_and_its_gradients_follow_the_definition(stride, padding, bins):
    def ours(x, k):
        return causal_conv(x, k, stride=stride, padding=padding)

    def theirs(x, k):
        return _conv_by_definition(x, k, stride, padding)

    _assert_same(ours, theirs, *_arrays(bins))


@pytest.mark.parametrize(("stride", "cropping", "bins"), GEOMETRIES)
def test_deconv_and_its_gradients_follow_the_definition(stride, cropping, bins):
    def ours(x, k):
        return causal_deconv(x, k, stride=stride, cropping=cropping)

    def theirs(x, k):
        return _deconv_by_definition(x, k, stride, cropping)

    _assert_same(ours, theirs, *_arrays(bins))


def _assert_same(ours, theirs, x, kernel):
    @functools.partial(jax.jit, static_argnums=0)
    def value_and_pull(layer, x, kernel):
        value, pull = jax.vjp(layer, x, kernel)
        direction = jnp.sin(jnp.arange(value.size, dtype=jnp.float32)).reshape(value.shape)
        return value, pull(direction)

    got, pulled = value_and_pull(ours, x, kernel)
    want, pulled_want = value_and_pull(theirs, x, kernel)
    np.testing.assert_allclose(got, want, atol=1e-4)
    for a, b in zip(pulled, pulled_want, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-3)


def test_depthwise_reads_dilated_past():
    x = jnp.arange(12.0).reshape(1, 12, 1)
    kernel = jnp.asarray([100.0, 10.0, 1.0])[:, None, None]
    got = depthwise_conv(x, kernel, dilation=3)[0, :, 0]
    np.testing.assert_allclose(got[7], 100 * 1 + 10 * 4 + 7)
    np.testing.assert_allclose(got[2], 2.0)  # what lies before the start is zero


def test_tcm_is_causal_and_residual():
    layer = Jitted(TCMLayer(8, 2))
    x = jax.random.normal(jax.random.key(0), (1, 12, 6))
    variables = layer.init(jax.random.key(1), x, train=False)
    before = layer.apply(variables, x, train=False)[0]
    after = layer.apply(variables, x.at[:, 7:].add(1.0), train=False)[0]
    np.testing.assert_allclose(before[:, :7], after[:, :7], atol=1e-6)
    assert np.abs(before[:, 7:] - after[:, 7:]).max() > 0.1
    empty = jax.tree.map(jnp.zeros_like, variables["params"])
    np.testing.assert_allclose(
        layer.apply({**variables, "params": empty}, x, train=False)[0], x, atol=1e-6
    )


@pytest.mark.parametrize("cut", [1, 3])
def test_a_signal_can_be_cut_anywhere(cut):
    """With the past handed on, two parts give what the whole gives."""
    x, kernel = _arrays(9)
    flat, taps = x[:, :, :, 0], x[0, :3, None, :, 0]
    cases = [
        (x, 1, lambda a, past: causal_conv(a, kernel, padding=2, past=past)),
        (x, 1, lambda a, past: causal_conv(a, kernel, stride=2, padding=1, past=past)),
        (x, 1, lambda a, past: causal_deconv(a, kernel, stride=2, cropping=1, past=past)),
        (flat, 4, lambda a, past: depthwise_conv(a, taps, 2, past)),
    ]
    for signal, reach, layer in cases:
        past = latest(signal[:, :cut], reach)
        assert past.shape[1] == reach
        layer = jax.jit(layer)
        parts = [layer(signal[:, :cut], None), layer(signal[:, cut:], past)]
        np.testing.assert_allclose(jnp.concatenate(parts, axis=1), layer(signal, None), atol=1e-5)
    first = latest(flat[:, :2], 4)
    np.testing.assert_array_equal(latest(flat[:, 2:3], 4, first), latest(flat[:, :3], 4))
