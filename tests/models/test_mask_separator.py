"""The mask baseline: sizes, what its mask can do, and that the query steers it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.models.mask_separator import MaskSeparatorConfig
from hsmtss_jax.testing.bundles import draw
from tests.models.separator_inputs import count

TINY = MaskSeparatorConfig(channels=(4, 6), n_fft=64, hop=16)
QUERY = 5


@pytest.fixture(scope="module")
def apply():
    return jax.jit(TINY.make().apply, static_argnames=("train", "mutable"))


@pytest.fixture(scope="module")
def inputs() -> tuple[jax.Array, jax.Array]:
    keys = jax.random.split(jax.random.key(0), 2)
    return jax.random.normal(keys[0], (2, 700)), jax.random.normal(keys[1], (2, QUERY))


@pytest.fixture(scope="module")
def variables(inputs):
    return draw(jax.eval_shape(TINY.make().init, jax.random.key(1), *inputs), "mask")


def _block(before: int, after: int, query: int) -> int:
    """Parameters of a residual block: 3x3 convolutions, norms, shifts, a shortcut where it widens."""
    convolutions = 9 * before * after + 9 * after * after
    shortcut = 0 if before == after else before * after + after
    return convolutions + shortcut + _shifted(before, query) + _shifted(after, query)


def _shifted(channels: int, query: int) -> int:
    return 2 * channels + (query + 1) * channels


def test_paper_size_is_the_reference_network():
    """30 3x3 convolutions (13 residual blocks of two, and 6 levels up of 2x2) at AudioSep's widths."""
    cfg, query = MaskSeparatorConfig(), 768
    shapes = jax.eval_shape(
        lambda key: cfg.make().init(key, jnp.ones((1, 16_000)), jnp.ones((1, query))),
        jax.random.key(0),
    )
    c = cfg.channels
    expected = 2 * 513 + (c[0] + c[0]) + 3 * c[0] + 3  # norm of bins, first and last convolution
    expected += sum(_block(a, b, query) for a, b in zip((c[0], *c), (*c, c[-1]), strict=True))
    below = (*c[1:], c[-1])  # what comes up into each level
    for channels, lower, (t, f) in zip(c, below, cfg.strides, strict=True):
        expected += _shifted(lower, query) + t * f * lower * channels
        expected += _block(2 * channels, channels, query)
    assert count(shapes["params"]) == expected
    assert (cfg.time_multiple, cfg.strides[-1]) == (32, (1, 2))


@pytest.mark.parametrize("samples", [700, 321])
def test_the_output_has_the_inputs_length(apply, variables, inputs, samples):
    out = apply(variables, inputs[0][:, :samples], inputs[1])
    assert out.shape == (2, samples) and out.dtype == jnp.float32 and np.all(np.isfinite(out))


def test_nothing_comes_of_silence_and_level_is_kept_in_the_mask(apply, variables, inputs):
    mixture, query = inputs
    np.testing.assert_array_equal(apply(variables, jnp.zeros_like(mixture), query), 0.0)
    energy = jnp.sum(apply(variables, mixture, query) ** 2)
    assert 0 < energy < jnp.sum(mixture**2)  # a mask adds nothing


def test_the_query_steers(apply, variables, inputs):
    mixture, query = inputs
    difference = apply(variables, mixture, query) - apply(variables, mixture, -query)
    assert np.abs(difference).max() > 1e-4


def test_training_updates_the_statistics_and_reaches_every_parameter(apply, variables, inputs):
    def loss(params):
        out, state = apply(
            {"params": params, "batch_stats": variables["batch_stats"]},
            *inputs,
            train=True,
            mutable=("batch_stats",),
        )
        return jnp.mean(jnp.abs(out - 0.5 * inputs[0])), state

    grads, state = jax.jit(jax.grad(loss, has_aux=True))(variables["params"])
    for path, grad in jax.tree_util.tree_leaves_with_path(grads):
        assert np.abs(grad).max() > 0, jax.tree_util.keystr(path)
    moved = jax.tree.map(
        lambda a, b: np.abs(a - b).max(), state["batch_stats"], variables["batch_stats"]
    )
    assert min(jax.tree.leaves(moved)) > 0


def test_bins_that_cannot_be_halved_are_refused():
    with pytest.raises(ValueError, match="n_fft=100 gives 50 bins"):
        MaskSeparatorConfig(channels=(4, 4), n_fft=100).make()
